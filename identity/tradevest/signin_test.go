package tradevest_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/tradevest"
	"b2trader.identity.auth/identity/tradevest/tradevesttest"
)

func TestSignIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := start(t)
		began := time.Now()
		token := signIn(t, client)
		if token.AccessToken == "" || token.TokenType != "Bearer" || token.RefreshToken != "" || !token.Expiry.Equal(began.Add(time.Hour)) {
			t.Errorf("got %+v, want a token for an hour", token)
		}
		for _, name := range []string{"access_token", "expires_in", "token_type", "scope"} {
			if v := token.Extra(name); v != nil {
				t.Errorf("the token has the extra %s: %v, want none", name, v)
			}
		}
		next, err := client.Refresh(t.Context(), token)
		if err != nil || next.AccessToken == token.AccessToken {
			t.Errorf("Refresh = %v, want another token", err)
		}
		if _, err = client.Refresh(t.Context(), nil); err != nil {
			t.Errorf("Refresh(nil) = %v, want a token", err)
		}
		if n := server.Count(tradevesttest.EndpointToken); n != 3 {
			t.Errorf("got %d requests for 3 calls, want 3", n)
		}
	})
}

// The credentials travel only in the body, form-encoded (req 16, 17).
func TestCredentialsTravelInTheBody(t *testing.T) {
	const odd = "s+c r%2Fet:=&ü'\""
	server := newServer(t, tradevesttest.Config{ClientID: "a&b=c d", ClientSecret: odd})
	client := newClient(t, server, func(c *tradevest.Config) { c.ClientID, c.ClientSecret = "a&b=c d", tokenapi.Fixed(odd) })
	signIn(t, client)
	r := server.Requests(tradevesttest.EndpointToken)[0]
	if r.Form.Get("client_id") != "a&b=c d" || r.Form.Get("client_secret") != odd || r.Form.Get("grant_type") != "client_credentials" || len(r.Form) != 3 {
		t.Errorf("sent the form %v, want id, secret and grant_type", r.Form)
	}
	if r.Header.Get("Authorization") != "" || len(r.Query) != 0 || r.Header.Get("Requestor-ID") != "" {
		t.Errorf("sent %v, query %v, want no Authorization, Requestor-ID and query", r.Header, r.Query)
	}
}

// Wrong credentials, a missing scope and a wrong path are refused.
func TestServerRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		server tradevesttest.Config
		client func(*tradevest.Config)
		want   error
		code   string
	}{
		"another secret": {tradevesttest.Config{}, func(c *tradevest.Config) { c.ClientSecret = tokenapi.Fixed("other") }, tokenapi.ErrBadCredentials, "invalid_client"},
		"another client": {tradevesttest.Config{}, func(c *tradevest.Config) { c.ClientID = "other" }, tokenapi.ErrBadCredentials, "invalid_client"},
		"no scope":       {tradevesttest.Config{Scope: "tradevest.api"}, func(*tradevest.Config) {}, tokenapi.ErrMisconfigured, "invalid_scope"},
		"another path":   {tradevesttest.Config{TokenPath: "/connect/token"}, func(*tradevest.Config) {}, tokenapi.ErrMisconfigured, ""},
	} {
		client := newClient(t, newServer(t, c.server), c.client)
		_, err := client.SignIn(t.Context())
		if e := wantError(t, err, c.want); e.Code != c.code {
			t.Errorf("%s: got %#v, want the code %q", name, e, c.code)
		}
	}
}

// The guide's path and scope; the server may name the scope in its answer.
func TestPathAndScopes(t *testing.T) {
	server := newServer(t, tradevesttest.Config{TokenPath: "/connect/token", Scope: "tradevest.api other"})
	scopes := []string{"tradevest.api", "other"}
	client := newClient(t, server, func(c *tradevest.Config) { c.TokenPath, c.Scopes = "/connect/token", scopes })
	scopes[0] = "changed afterwards"
	if scope := signIn(t, client).Extra("scope"); scope != nil {
		t.Errorf("got the scope %v, want none", scope)
	}
	server.Inject(tradevesttest.EndpointToken, apitest.Fault{Answer: func(f map[string]any) { f["scope"] = "tradevest.api" }})
	if scope := signIn(t, client).Extra("scope"); scope != "tradevest.api" {
		t.Errorf("got the scope %v, want tradevest.api", scope)
	}
	if r := server.Requests(tradevesttest.EndpointToken)[0]; !strings.HasSuffix(string(r.Body), "&grant_type=client_credentials&scope=tradevest.api+other") {
		t.Errorf("sent %s, want the scope last", r.Body)
	}
}

// Every request reads the secret; the error tells why that fails (req 23).
func TestSecretIsReadEachTime(t *testing.T) {
	secret := &variableSecret{value: tradevesttest.SampleClientSecret}
	server, client := start(t, withSecret(secret))
	signIn(t, client)
	server.SetClientSecret("another")
	_, err := client.SignIn(t.Context())
	wantError(t, err, tokenapi.ErrBadCredentials)
	secret.set("another", nil)
	signIn(t, client)
	if _, err := client.Refresh(t.Context(), &oauth2.Token{}); err != nil {
		t.Error(err)
	}
	if secret.asked != 4 {
		t.Errorf("the secret was read %d times for 4 requests, want 4", secret.asked)
	}

	sent := server.Count(tradevesttest.EndpointToken)
	secret.set("", fs.ErrNotExist)
	_, err = client.SignIn(t.Context())
	if e := wantError(t, err, tokenapi.ErrMisconfigured); e.Sent || !errors.Is(err, fs.ErrNotExist) || !strings.Contains(e.Error(), "Config.ClientSecret") {
		t.Errorf("got %v, want ErrNotExist of Config.ClientSecret, not sent", err)
	}
	secret.set("", nil)
	_, err = client.SignIn(t.Context())
	if e := wantError(t, err, tokenapi.ErrMisconfigured); e.Sent || !strings.Contains(e.Error(), "Config.ClientSecret") {
		t.Errorf("got %v, want an error about Config.ClientSecret, not sent", err)
	}
	if n := server.Count(tradevesttest.EndpointToken); n != sent {
		t.Errorf("sent %d requests without a secret, want none", n-sent)
	}
}
