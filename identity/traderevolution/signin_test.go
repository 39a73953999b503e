package traderevolution_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/internal/clienttest"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/traderevolution"
	"b2trader.identity.auth/identity/traderevolution/traderevolutiontest"
)

func TestSignIn(t *testing.T) {
	_, client := start(t, traderevolutiontest.Config{AccessTokenLifetime: time.Minute, RefreshTokenLifetime: 2 * time.Minute})
	before := time.Now()
	token := signIn(t, client)
	if token.AccessToken == "" || token.RefreshToken == "" || token.Type() != "Bearer" {
		t.Error("something is missing")
	}
	if life := token.Expiry.Sub(before); life < time.Minute || life > 2*time.Minute {
		t.Errorf("it lives %v", life)
	}
	if life := clienttest.RefreshExpiry(token).Sub(before); life < 2*time.Minute || life > 3*time.Minute {
		t.Errorf("it can be renewed for %v", life)
	}
	_, err := client.SignIn(t.Context(), login, "guess")
	if e := wantError(t, err, tokenapi.ErrBadCredentials); e.System != "traderevolution" || e.Op != "sign in" ||
		e.StatusCode != http.StatusUnauthorized || e.Code != "1.2.0.11" || e.Description != "Wrong login or password" || !e.Sent {
		t.Errorf("got %#v", e)
	}
}

// lives says how long an answer's tokens live, for every form that has been seen or may come.
var lives = map[string]struct{ access, refresh time.Duration }{
	`"accessTokenLifeTime":300,"refreshTokenLifeTime":3600`:       {5 * time.Minute, time.Hour},
	`"accessTokenLifeTime":"60","refreshTokenLifeTime":"7200"`:    {time.Minute, 2 * time.Hour},
	`"accessTokenLifeTime":60.5,"refreshTokenLifeTime":"1e2"`:     {60500 * time.Millisecond, 100 * time.Second},
	`"accessTokenLifeTime":null,"refreshTokenLifeTime":null`:      {5 * time.Minute, time.Hour},
	`"accessTokenLifeTime":0,"refreshTokenLifeTime":"0"`:          {5 * time.Minute, time.Hour},
	`"refreshTokenLifeTime":1`:                                    {5 * time.Minute, time.Second},
	`"accessTokenLifeTime":1,"unknown":{"accessTokenLifeTime":2}`: {time.Second, time.Hour},
}

func TestLifetimes(t *testing.T) {
	inBubble(t, func(t *testing.T, server *traderevolutiontest.Server, client *traderevolution.Client) {
		for members, want := range lives {
			body := []byte(`{"accessToken":"a","refreshToken":"r",` + members + `}`)
			server.Inject(traderevolutiontest.EndpointToken, answer(body))
			server.Inject(traderevolutiontest.EndpointRefresh, answer(body))
			first := signIn(t, client)
			second, err := client.Refresh(t.Context(), first)
			if err != nil {
				t.Fatalf("%s: %v", members, err)
			}
			for _, token := range []*oauth2.Token{first, second} {
				if time.Until(token.Expiry) != want.access || time.Until(clienttest.RefreshExpiry(token)) != want.refresh {
					t.Errorf("%s: got %v and %v", members, time.Until(token.Expiry), time.Until(clienttest.RefreshExpiry(token)))
				}
			}
		}
	})
}

// The answer may take its time, and the server's clock may be wrong: lives are reckoned from the sending, by our own clock.
func TestExpiryIsReckonedFromTheSending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := inMemory(t, traderevolutiontest.Config{Now: func() time.Time { return time.Now().Add(-3 * time.Hour) }})
		server.Inject(traderevolutiontest.EndpointToken, apitest.Fault{DelayAfter: 20 * time.Second})
		began := time.Now()
		token := signIn(t, client)
		if !token.Expiry.Equal(began.Add(5*time.Minute)) || !clienttest.RefreshExpiry(token).Equal(began.Add(time.Hour)) || time.Since(began) != 20*time.Second {
			t.Errorf("until %v and %v", token.Expiry.Sub(began), clienttest.RefreshExpiry(token).Sub(began))
		}
	})
}

// An account may have no refresh token; then there is none to end.
func TestSignInWithoutRefreshToken(t *testing.T) {
	server, client := inMemory(t, traderevolutiontest.Config{})
	server.Inject(traderevolutiontest.EndpointToken, apitest.Fault{Answer: func(fields map[string]any) { delete(fields, "refreshToken") }})
	if token := signIn(t, client); token.RefreshToken != "" || token.Extra("refresh_expiry") != nil {
		t.Errorf("it can be renewed until %v", token.Extra("refresh_expiry"))
	}
}

// unusable are answers that say yes and cannot be used, and what is said of them.
var unusable = map[string]string{
	``:                                      "not a pair of tokens",
	`<html></html>`:                         "not a pair of tokens",
	`[]`:                                    "not a pair of tokens",
	`null`:                                  "it has no access token",
	`{}`:                                    "it has no access token",
	`{"accessToken":"a"`:                    "not a pair of tokens",
	`{"accessToken":7}`:                     "not a pair of tokens",
	`{"accessToken":"","refreshToken":"r"}`: "it has no access token",
	`{"accessToken":"a\r\nX: y","refreshToken":"r"}`: "no token may hold",
	`{"accessToken":"a","refreshToken":"r r"}`:       "no token may hold",
	`{"accessToken":"a","refreshToken":"\u00e9"}`:    "no token may hold",
}

func TestUnusableAnswers(t *testing.T) {
	server, client := inMemory(t, traderevolutiontest.Config{})
	for _, op := range operations[:2] { // a verification may answer otherwise
		for body, says := range unusable {
			server.Inject(op.Endpoint, answer([]byte(body)))
			e := wantError(t, op.Call(t.Context(), t, client), tokenapi.ErrUnusableAnswer)
			if !strings.Contains(e.Description, says) || e.StatusCode != http.StatusOK || !e.Sent || e.Op != op.Name {
				t.Errorf("%s: %s: got %#v, want %q", op.Name, body, e, says)
			}
		}
		server.Inject(op.Endpoint, apitest.Fault{ContentType: "text/html", Status: 200, Body: clienttest.Sample(t, "tokens.response.json")})
		wantError(t, op.Call(t.Context(), t, client), tokenapi.ErrUnusableAnswer)
		server.Inject(op.Endpoint, apitest.Fault{Status: 204})
		wantError(t, op.Call(t.Context(), t, client), tokenapi.ErrUnusableAnswer)
	}
}
