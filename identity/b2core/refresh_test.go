package b2core_test

import (
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/b2core"
	"b2trader.identity.auth/identity/b2core/b2coretest"
	"b2trader.identity.auth/identity/tokenapi"
)

func TestRefresh(t *testing.T) {
	inBubble(t, func(t *testing.T, server *b2coretest.Server, client *b2core.Client) {
		old := signIn(t, server, client)
		<-time.After(time.Minute)
		if status := account(t, server, old.AccessToken); status != http.StatusUnauthorized {
			t.Errorf("the old token is answered %d", status)
		}
		token, err := client.Refresh(t.Context(), old)
		if err != nil {
			t.Fatal(err)
		}
		accepts(t, server, token)
		if token.RefreshToken == old.RefreshToken || token.RefreshToken == "" || token.TokenType != "Bearer" || token.Extra("host") != broker {
			t.Errorf("got %+v", token)
		}
		if !token.Expiry.Equal(time.Now().Add(time.Minute)) {
			t.Errorf("it expires at %v", token.Expiry)
		}
		asked(t, server, 1, 1)
	})
}

// A refresh token that the answer leaves out is still the old one; a host that it leaves out is none.
func TestRefreshKeepsWhatTheAnswerLeavesOut(t *testing.T) {
	for _, leave := range []func(fields map[string]any){
		func(fields map[string]any) { delete(fields, "refreshToken"); delete(fields, "host") },
		func(fields map[string]any) { fields["refreshToken"], fields["host"] = nil, nil },
		func(fields map[string]any) { fields["refreshToken"], fields["host"] = "", "" },
	} {
		server := newServer(t, b2coretest.Config{ReuseRefreshTokens: true})
		client := newClient(t, server)
		old := signIn(t, server, client)
		server.Inject(b2coretest.EndpointRefresh, apitest.Fault{Answer: leave})
		token, err := client.Refresh(t.Context(), old)
		if err != nil {
			t.Fatal(err)
		}
		if token.RefreshToken != old.RefreshToken || token.AccessToken == old.AccessToken || token.Extra("host") != nil {
			t.Errorf("got %+v", token)
		}
		if _, err := client.Refresh(t.Context(), token); err != nil {
			t.Error(err)
		}
		asked(t, server, 1, 2)
	}
}

// A refresh token that is used, revoked or expired leads to the sign-in, whatever B2Core calls it.
func TestRefreshSignsInAgain(t *testing.T) {
	for name, spoil := range map[string]func(server *b2coretest.Server){
		"revoked": (*b2coretest.Server).RevokeRefreshTokens,
		"expired": func(*b2coretest.Server) { <-time.After(10 * time.Hour) },
	} {
		for _, status := range []int{400, 401, 403, 404, 422} {
			synctest.Test(t, func(t *testing.T) {
				server := newServer(t, b2coretest.Config{RefreshFailureStatus: status})
				client := newClient(t, server)
				old := signIn(t, server, client)
				spoil(server)
				token, err := client.Refresh(t.Context(), old)
				if err != nil {
					t.Fatalf("%s, %d: %v", name, status, err)
				}
				accepts(t, server, token)
				asked(t, server, 2, 1)
			})
		}
	}
	server, client := open(t)
	old := signIn(t, server, client)
	for range 2 { // it works once
		if _, err := client.Refresh(t.Context(), old); err != nil {
			t.Fatal(err)
		}
	}
	asked(t, server, 2, 2)
}

// What refusals of …/auth mean.
func TestAuthVerdict(t *testing.T) {
	for _, c := range []struct {
		status      int
		contentType string
		want        error
		requests    int
	}{
		{400, "", tokenapi.ErrMisconfigured, 1},
		{401, "", tokenapi.ErrNotSignedIn, 2},          // another bearer is refused too
		{401, "text/html", tokenapi.ErrUnavailable, 2}, // a gateway, which ends no session
		{403, "", tokenapi.ErrNotSignedIn, 1},
		{403, "application/problem+json", tokenapi.ErrNotSignedIn, 1},
		{403, "text/html", tokenapi.ErrMisconfigured, 1}, // a gateway
		{404, "", tokenapi.ErrMisconfigured, 1},
		{405, "", tokenapi.ErrMisconfigured, 1},
		{408, "", tokenapi.ErrUnavailable, 1},
		{418, "", tokenapi.ErrUnusableAnswer, 1},
		{422, "", tokenapi.ErrMisconfigured, 1},
		{429, "", tokenapi.ErrUnavailable, 1},
		{500, "", tokenapi.ErrUnavailable, 1},
		{503, "text/html", tokenapi.ErrUnavailable, 1},
		{302, "", tokenapi.ErrUnusableAnswer, 1},
	} {
		server, client := open(t)
		server.Inject(b2coretest.EndpointAuth, apitest.Fault{
			Times: -1, Status: c.status, ContentType: c.contentType, RetryAfter: "9", Body: []byte(`{"error":{"message":"why","details":[{"issue":"i"}]}}`),
		})
		token, err := client.SignIn(t.Context())
		e := wantError(t, err, c.want)
		if token != nil || e.StatusCode != c.status || e.Description != "why: i" || e.RetryAfter != 9*time.Second || !e.Sent || e.Op != "sign in" {
			t.Errorf("%d: got %#v", c.status, e)
		}
		want := tokenapi.Transient
		switch {
		case errors.Is(c.want, tokenapi.ErrNotSignedIn):
			want = tokenapi.Refused
		case errors.Is(c.want, tokenapi.ErrMisconfigured):
			want = tokenapi.Misconfigured
		}
		if e.Outcome().Kind != want {
			t.Errorf("%d: a vault misunderstands %#v", c.status, e)
		}
		asked(t, server, c.requests, 0)
	}
}

// What refusals of …/refresh mean that are not about the refresh token: there is no sign-in.
func TestRefreshVerdict(t *testing.T) {
	for status, want := range map[int]error{
		405: tokenapi.ErrMisconfigured,
		408: tokenapi.ErrUnavailable,
		418: tokenapi.ErrUnusableAnswer,
		429: tokenapi.ErrUnavailable,
		500: tokenapi.ErrUnavailable,
		503: tokenapi.ErrUnavailable,
		302: tokenapi.ErrUnusableAnswer,
	} {
		server, client := open(t)
		old := signIn(t, server, client)
		server.Inject(b2coretest.EndpointRefresh, apitest.Fault{Status: status, RetryAfter: "9", Body: []byte(`{"error":{"message":"why"}}`)})
		token, err := client.Refresh(t.Context(), old)
		e := wantError(t, err, want)
		if token != nil || e.StatusCode != status || e.Description != "why" || e.RetryAfter != 9*time.Second || !e.Sent || e.Op != "refresh token" || e.Outcome().Kind == tokenapi.Refused {
			t.Errorf("%d: got %#v", status, e)
		}
		asked(t, server, 1, 1)
		if _, err := client.Refresh(t.Context(), old); err != nil {
			t.Errorf("%d: afterwards: %v", status, err)
		}
	}
}

// A page of a gateway tells nothing of the refresh token. Signing in again does, or meets the same gateway, which ends nothing.
func TestRefreshRefusedByAPage(t *testing.T) {
	for _, status := range []int{400, 401, 403, 404, 422} {
		page := apitest.Fault{Status: status, ContentType: "text/html", Body: []byte("<html>")}
		server, client := open(t)
		old := signIn(t, server, client)
		server.Inject(b2coretest.EndpointRefresh, page)
		if token, err := client.Refresh(t.Context(), old); err != nil || token.AccessToken == old.AccessToken {
			t.Errorf("%d: got %v", status, err)
		}
		always(server, page)
		_, err := client.Refresh(t.Context(), old)
		if e, ok := errors.AsType[*tokenapi.Error](err); !ok || e.Outcome().Kind == tokenapi.Refused || e.Op != "sign in" || e.StatusCode != status {
			t.Errorf("%d: got %v", status, err)
		}
	}
}

// When signing in fails too, its error tells what is wrong.
func TestRefreshRefusedAltogether(t *testing.T) {
	server, client := open(t)
	old := signIn(t, server, client)
	always(server, apitest.Fault{Status: 401})
	_, err := client.Refresh(t.Context(), old)
	if e := wantError(t, err, tokenapi.ErrNotSignedIn); e.Outcome().Kind != tokenapi.Refused || e.Op != "sign in" {
		t.Errorf("got %#v", e)
	}
	asked(t, server, 3, 1)

	server.ClearFaults()
	server.RevokeRefreshTokens()
	server.Inject(b2coretest.EndpointAuth, apitest.Fault{Status: 503})
	_, err = client.Refresh(t.Context(), old)
	if e := wantError(t, err, tokenapi.ErrUnavailable); e.Outcome().Kind == tokenapi.Refused {
		t.Errorf("an outage ends the session: %v", e)
	}

	unknown := newClient(t, server, func(c *b2core.Config) { c.PlatformID = "2" })
	_, err = unknown.Refresh(t.Context(), old)
	if e := wantError(t, err, tokenapi.ErrMisconfigured); e.StatusCode != http.StatusNotFound || e.Outcome().Kind == tokenapi.Refused {
		t.Errorf("an unknown platform: got %v", e)
	}
	if n := server.Count(b2coretest.EndpointUnknown); n != 2 {
		t.Errorf("%d requests, want the refresh and the sign-in", n)
	}
}
