package oauth2refresher_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/oauth2refresher"
	"b2trader.identity.auth/identity/tokenapi"
)

// provider is a token endpoint that answers with the members.
func provider(status int, members map[string]any) *apitest.Server {
	server := apitest.New(apitest.Config{Name: "provider"})
	server.Handle("/token", "token", func(x *apitest.Exchange) { x.JSON(status, "application/json", members) })
	return server
}

// One request authenticates in one way, even if the provider refuses it:
// x/oauth2 would send the refresh token again in the other way.
func TestOneRequestInOneStyle(t *testing.T) {
	for _, c := range []struct {
		name, secret  string
		style         oauth2.AuthStyle
		basic, inBody bool
	}{
		{"detected, with a secret", "5ecret", oauth2.AuthStyleAutoDetect, true, false},
		{"header", "5ecret", oauth2.AuthStyleInHeader, true, false},
		{"body", "5ecret", oauth2.AuthStyleInParams, false, true},
		{"detected, public", "", oauth2.AuthStyleAutoDetect, false, false},
		{"header, public", "", oauth2.AuthStyleInHeader, false, false},
	} {
		server := provider(http.StatusUnauthorized, map[string]any{"error": "invalid_client"})
		r := refresher(t, tokenapi.HTTP{Transport: server.Transport()}, tokenURL, func(config *oauth2refresher.Config) {
			config.OAuth2.ClientSecret, config.OAuth2.Endpoint.AuthStyle = c.secret, c.style
		})
		if _, err := r.Refresh(t.Context(), &oauth2.Token{RefreshToken: sent}); tokenapi.OutcomeOf(err).Kind != tokenapi.Misconfigured {
			t.Errorf("%s: Refresh = %v, want the kind misconfigured", c.name, err)
		}
		requests := server.Requests("token")
		if len(requests) != 1 {
			t.Fatalf("%s: got %d requests, want 1", c.name, len(requests))
		}
		form, err := url.ParseQuery(string(requests[0].Body))
		if err != nil {
			t.Fatal(err)
		}
		header := requests[0].Header
		if (header.Get("Authorization") != "") != c.basic || form.Has("client_secret") != c.inBody || form.Has("client_id") == c.basic {
			t.Errorf("%s: sent %v and %v, want Basic %v, the secret in the body %v", c.name, header, form, c.basic, c.inBody)
		}
		if form.Get("grant_type") != "refresh_token" || form.Get("refresh_token") != sent || header.Get("Accept") != "application/json" {
			t.Errorf("%s: sent %v and %v, want the refresh token and Accept: application/json", c.name, header, form)
		}
	}
}

// Errors of a wrong Config name the field.
func TestErrorsNameTheField(t *testing.T) {
	for _, c := range []struct {
		status   int
		code, in string
	}{
		{404, "", "Config.OAuth2.Endpoint.TokenURL"},
		{302, "", "Config.OAuth2.Endpoint.TokenURL"},
		{401, "invalid_client", "AuthStyleInParams"},
		{400, "unsupported_grant_type", "Config.OAuth2.Endpoint.TokenURL"},
	} {
		r := refresher(t, tokenapi.HTTP{Transport: provider(c.status, map[string]any{"error": c.code}).Transport()}, tokenURL)
		if _, err := r.Refresh(t.Context(), &oauth2.Token{RefreshToken: sent}); err == nil || !strings.Contains(err.Error(), c.in) {
			t.Errorf("%d %s: Refresh = %v, want %s in it", c.status, c.code, err, c.in)
		}
	}
}

// What an answer leaves out stays; what it has replaces the old.
func TestExtras(t *testing.T) {
	old := (&oauth2.Token{AccessToken: "a0", RefreshToken: "r0"}).WithExtra(map[string]any{"id_token": "i0", "scope": "s0", "other": "o"})
	for _, c := range []struct {
		members                 map[string]any
		refresh, idToken, scope string
	}{
		{map[string]any{"access_token": "a1", "token_type": "Bearer"}, "r0", "i0", "s0"},
		{map[string]any{"access_token": "a1", "token_type": "Bearer", "refresh_token": "r1", "id_token": "i1", "scope": "s1"}, "r1", "i1", "s1"},
		{map[string]any{"access_token": "a1", "refresh_token": "", "id_token": 7, "scope": []string{"s"}}, "r0", "i0", "s0"},
	} {
		r := refresher(t, tokenapi.HTTP{Transport: provider(http.StatusOK, c.members).Transport()}, tokenURL)
		token, err := r.Refresh(t.Context(), old)
		if err != nil {
			t.Fatalf("%v: Refresh = %v, want a token", c.members, err)
		}
		if token.AccessToken != "a1" || token.RefreshToken != c.refresh || token.Extra("id_token") != c.idToken || token.Extra("scope") != c.scope {
			t.Errorf("%v: got %q, %v, %v, want %q, %q, %q", c.members, token.RefreshToken, token.Extra("id_token"), token.Extra("scope"), c.refresh, c.idToken, c.scope)
		}
		if !token.Expiry.IsZero() || !token.Valid() {
			t.Errorf("%v: the token expires at %v, want never: the answer has no expires_in", c.members, token.Expiry)
		}
	}
	r := refresher(t, tokenapi.HTTP{Transport: provider(http.StatusOK, map[string]any{"access_token": "a", "expires_in": 60}).Transport()}, tokenURL)
	if token, err := r.Refresh(t.Context(), old); err != nil || time.Until(token.Expiry) > time.Minute || time.Until(token.Expiry) < 50*time.Second {
		t.Errorf("Refresh = %v, %v, want a token that expires in a minute", token, err)
	}
	if _, err := r.Refresh(t.Context(), &oauth2.Token{AccessToken: "a"}); tokenapi.OutcomeOf(err).Kind != tokenapi.Refused {
		t.Errorf("Refresh without a refresh token = %v, want it refused", err)
	}
}
