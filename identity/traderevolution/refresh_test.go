package traderevolution_test

import (
	"net/http"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/internal/clienttest"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/traderevolution"
	"b2trader.identity.auth/identity/traderevolution/traderevolutiontest"
)

func TestRefresh(t *testing.T) {
	server, client := start(t, traderevolutiontest.Config{})
	old := signIn(t, client)
	next, err := client.Refresh(t.Context(), old)
	if err != nil {
		t.Fatal(err)
	}
	if next.AccessToken == old.AccessToken || next.RefreshToken == old.RefreshToken || next.RefreshToken == "" {
		t.Errorf("got %+v, want new tokens", next)
	}
	if !clienttest.RefreshExpiry(next).After(clienttest.RefreshExpiry(old)) {
		t.Error("the new refresh token expires with the old one, want later")
	}
	_, err = client.Refresh(t.Context(), old)
	if e := wantError(t, err, tokenapi.ErrGrantRefused); e.StatusCode != http.StatusUnauthorized || e.Op != "refresh token" || e.Outcome().Kind != tokenapi.Refused {
		t.Errorf("got %#v, want a 401 that refuses the token", e)
	}
	if n := server.Count(traderevolutiontest.EndpointRefresh); n != 2 {
		t.Errorf("got %d requests for 2 calls, want 2", n)
	}
}

// A successor keeps the refresh token and its expiry if the answer has none
// (req 61).
func TestRefreshKeepsTheOldRefreshToken(t *testing.T) {
	inBubble(t, func(t *testing.T, server *traderevolutiontest.Server, client *traderevolution.Client) {
		old := signIn(t, client)
		<-time.After(time.Minute)
		withoutRefresh := apitest.Fault{Answer: func(fields map[string]any) { delete(fields, "refreshToken") }}
		server.Inject(traderevolutiontest.EndpointRefresh, withoutRefresh)
		next, err := client.Refresh(t.Context(), old)
		if err != nil {
			t.Fatal(err)
		}
		if next.AccessToken == old.AccessToken || next.RefreshToken != old.RefreshToken || !clienttest.RefreshExpiry(next).Equal(clienttest.RefreshExpiry(old)) {
			t.Errorf("got a refresh token until %v, want the old one until %v", clienttest.RefreshExpiry(next), clienttest.RefreshExpiry(old))
		}
		server.Inject(traderevolutiontest.EndpointRefresh, answer([]byte(`{"accessToken":"a"}`)))
		next, err = client.Refresh(t.Context(), &oauth2.Token{RefreshToken: "r"})
		if err != nil || next.RefreshToken != "r" || next.Extra("refresh_expiry") != nil {
			t.Errorf("got %v, %v, want the refresh token r of unknown life", next, err)
		}
	})
}

// A refresh token that cannot stand in a header is not sent.
func TestRefreshWithoutARefreshToken(t *testing.T) {
	server, client := start(t, traderevolutiontest.Config{})
	for _, unsafe := range []string{"", "a\r\nAuthorization: Bearer b", "a b", "a\x00", "é"} {
		_, err := client.Refresh(t.Context(), &oauth2.Token{RefreshToken: unsafe})
		if e := wantError(t, err, tokenapi.ErrGrantRefused); e.Sent || e.StatusCode != 0 {
			t.Errorf("%q: got %#v, want it not sent", unsafe, e)
		}
	}
	if n := server.Count(traderevolutiontest.EndpointRefresh); n != 0 {
		t.Errorf("got %d requests, want none", n)
	}
}
