package b2binpay_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/b2binpay"
	"b2trader.identity.auth/identity/b2binpay/b2binpaytest"
	"b2trader.identity.auth/identity/internal/clienttest"
	"b2trader.identity.auth/identity/tokenapi"
)

// A refresh token works once.
func TestRefreshRotates(t *testing.T) {
	for _, numeric := range []bool{false, true} {
		server, client := inMemory(t, b2binpaytest.Config{NumericCodes: numeric})
		first := signIn(t, client)
		second := refresh(t, client, first)
		third := refresh(t, client, second)
		if first.AccessToken == second.AccessToken || first.RefreshToken == second.RefreshToken || second.RefreshToken == third.RefreshToken {
			t.Error("got a token twice, want new ones")
		}
		token, err := client.Refresh(t.Context(), first)
		e := wantError(t, err, tokenapi.ErrGrantRefused)
		if token != nil || e.StatusCode != http.StatusUnauthorized || e.Code != "2007" || e.Outcome().Kind != tokenapi.Refused || !e.Sent {
			t.Errorf("got %#v, want the code 2007", e)
		}
		if server.Count(b2binpaytest.EndpointRefresh) != 3 {
			t.Errorf("got %d requests, want 3", server.Count(b2binpaytest.EndpointRefresh))
		}
	}
}

func TestNothingToRefresh(t *testing.T) {
	server, client := inMemory(t, b2binpaytest.Config{})
	for _, old := range []*oauth2.Token{nil, {AccessToken: "a"}, {RefreshToken: "a\nb"}} {
		_, err := client.Refresh(t.Context(), old)
		if e := wantError(t, err, tokenapi.ErrGrantRefused); e.Sent || server.Count(b2binpaytest.EndpointRefresh) != 0 {
			t.Errorf("Refresh(%+v) = %#v, want it not sent", old, e)
		}
	}
}

// A successor keeps what the answer lacks (req 61).
func TestRefreshInherits(t *testing.T) {
	drop := func(names ...string) apitest.Fault {
		return apitest.Fault{Answer: func(f map[string]any) {
			for _, name := range names {
				delete(attributes(f), name)
			}
		}}
	}
	inBubble(t, b2binpaytest.Config{}, func(t *testing.T, server *b2binpaytest.Server, client *b2binpay.Client) {
		old := signIn(t, client)
		<-time.After(time.Minute)
		server.Inject(b2binpaytest.EndpointRefresh, drop("refresh", "is_2fa_confirmed"))
		next := refresh(t, client, old)
		if next.RefreshToken != old.RefreshToken || !clienttest.RefreshExpiry(next).Equal(clienttest.RefreshExpiry(old)) || next.Extra("is_2fa_confirmed") != false {
			t.Errorf("got %+v, want the refresh token of %+v", next, old)
		}
		if next.AccessToken == old.AccessToken {
			t.Error("got the old access token, want another")
		}
		old = signIn(t, client)
		server.Inject(b2binpaytest.EndpointRefresh, drop("refresh_expired_at"))
		if next = refresh(t, client, old); next.RefreshToken == old.RefreshToken || !clienttest.RefreshExpiry(next).IsZero() {
			t.Errorf("got %+v, want a new refresh token of unknown life", next)
		}
	})
}

type tenant struct{}

// OnSuspicious receives the refusal of a refresh token that has not expired.
func TestSuspicious(t *testing.T) {
	var heard []*tokenapi.Error
	var whose any
	listen := func(c *b2binpay.Config) {
		c.OnSuspicious = func(ctx context.Context, e *tokenapi.Error) { heard, whose = append(heard, e), ctx.Value(tenant{}) }
	}
	inBubble(t, b2binpaytest.Config{}, func(t *testing.T, server *b2binpaytest.Server, client *b2binpay.Client) {
		refused := func(name string, old *oauth2.Token, suspicious bool) {
			t.Helper()
			heard = nil
			_, err := client.Refresh(context.WithValue(t.Context(), tenant{}, "acme"), old)
			wantError(t, err, tokenapi.ErrGrantRefused)
			if suspicious && (len(heard) != 1 || !errors.Is(heard[0], tokenapi.ErrGrantRefused) || heard[0].Code != "2007" || whose != "acme") || !suspicious && len(heard) != 0 {
				t.Errorf("%s: OnSuspicious received %v, want a refusal: %v", name, heard, suspicious)
			}
		}
		old := signIn(t, client)
		refresh(t, client, old)
		if len(heard) != 0 {
			t.Errorf("OnSuspicious received %v after a good refresh, want none", heard)
		}
		refused("used twice", old, true)
		refused("of unknown life", &oauth2.Token{RefreshToken: old.RefreshToken}, true)
		refused("absent", &oauth2.Token{}, false)
		<-time.After(6*time.Hour - time.Nanosecond)
		refused("not quite expired", old, true)
		<-time.After(time.Nanosecond)
		refused("expired", old, false)

		server.Inject(b2binpaytest.EndpointRefresh, apitest.Fault{Status: 503})
		_, err := client.Refresh(t.Context(), signIn(t, client))
		if wantError(t, err, tokenapi.ErrUnavailable); len(heard) != 0 {
			t.Errorf("OnSuspicious received %v in an outage, want none", heard)
		}
	}, listen)
}
