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
			t.Errorf("the API answers %d to the old token, want 401", status)
		}
		token := refresh(t, server, client, old)
		if token.RefreshToken == old.RefreshToken || token.RefreshToken == "" || token.Extra("host") != broker || time.Until(token.Expiry) != time.Minute {
			t.Errorf("got %+v, want new tokens for a minute", token)
		}
		asked(t, server, 1, 1)
	})
}

// A successor keeps the refresh token if the answer has none, but not the host
// (req 61).
func TestRefreshKeepsTheRefreshToken(t *testing.T) {
	for _, without := range []func(fields map[string]any){
		func(fields map[string]any) { delete(fields, "refreshToken"); delete(fields, "host") },
		func(fields map[string]any) { fields["refreshToken"], fields["host"] = nil, nil },
		func(fields map[string]any) { fields["refreshToken"], fields["host"] = "", "" },
	} {
		server := newServer(t, b2coretest.Config{ReuseRefreshTokens: true})
		client := newClient(t, server)
		old := signIn(t, server, client)
		server.Inject(b2coretest.EndpointRefresh, apitest.Fault{Answer: without})
		token := refresh(t, server, client, old)
		if token.RefreshToken != old.RefreshToken || token.AccessToken == old.AccessToken || token.Extra("host") != nil {
			t.Errorf("got %+v, want the old refresh token and no host", token)
		}
		refresh(t, server, client, token)
		asked(t, server, 1, 2)
	}
}

// A refused refresh token leads to a sign-in, whatever the status.
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
				t.Logf("%s, %d", name, status)
				refresh(t, server, client, old)
				asked(t, server, 2, 1)
			})
		}
	}
	server, client := open(t)
	old := signIn(t, server, client)
	refresh(t, server, client, old)
	refresh(t, server, client, old) // it works once
	asked(t, server, 2, 2)
}

// A gateway's page leads to a sign-in too, and ends no session.
func TestRefreshRefusedByAPage(t *testing.T) {
	for _, status := range []int{400, 401, 403, 404, 422} {
		page := apitest.Fault{Status: status, ContentType: "text/html", Body: []byte("<html>")}
		server, client := open(t)
		old := signIn(t, server, client)
		server.Inject(b2coretest.EndpointRefresh, page)
		if token := refresh(t, server, client, old); token.AccessToken == old.AccessToken {
			t.Errorf("%d: got the old token, want another", status)
		}
		always(server, page)
		_, err := client.Refresh(t.Context(), old)
		if e, ok := errors.AsType[*tokenapi.Error](err); !ok || e.Outcome().Kind == tokenapi.Refused || e.Op != "sign in" || e.StatusCode != status {
			t.Errorf("%d: got %v, want an error of the sign-in that ends nothing", status, err)
		}
	}
}

// If the sign-in fails too, its error is returned.
func TestRefreshRefusedAltogether(t *testing.T) {
	server, client := open(t)
	old := signIn(t, server, client)
	always(server, apitest.Fault{Status: 401})
	_, err := client.Refresh(t.Context(), old)
	if e := wantError(t, err, tokenapi.ErrNotSignedIn); e.Outcome().Kind != tokenapi.Refused || e.Op != "sign in" {
		t.Errorf("got %#v, want an error of the sign-in", e)
	}
	asked(t, server, 3, 1)

	server.ClearFaults()
	server.RevokeRefreshTokens()
	server.Inject(b2coretest.EndpointAuth, apitest.Fault{Status: 503})
	_, err = client.Refresh(t.Context(), old)
	wantError(t, err, tokenapi.ErrUnavailable)

	unknown := newClient(t, server, func(c *b2core.Config) { c.PlatformID = "2" })
	_, err = unknown.Refresh(t.Context(), old)
	if e := wantError(t, err, tokenapi.ErrMisconfigured); e.StatusCode != http.StatusNotFound {
		t.Errorf("an unknown platform: got %v, want a 404", e)
	}
	if n := server.Count(b2coretest.EndpointUnknown); n != 2 {
		t.Errorf("got %d requests, want the refresh and the sign-in", n)
	}
}
