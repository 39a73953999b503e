package b2core_test

import (
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/b2core"
	"b2trader.identity.auth/identity/b2core/b2coretest"
)

func TestSignIn(t *testing.T) {
	inBubble(t, func(t *testing.T, server *b2coretest.Server, client *b2core.Client) {
		token := signIn(t, server, client)
		if token.RefreshToken == "" || token.RefreshToken == token.AccessToken || token.TokenType != "Bearer" || token.Extra("host") != broker {
			t.Errorf("got %+v with the host %v, want two tokens and %s", token, token.Extra("host"), broker)
		}
		if want := time.Now().Add(time.Minute); !token.Expiry.Equal(want) || token.Extra("refresh_expiry") != nil {
			t.Errorf("got the expiry %v and %v of the refresh token, want %v and none", token.Expiry, token.Extra("refresh_expiry"), want)
		}
		asked(t, server, 1, 0)
	})
}

// The server may write the ttl as a number, and its clock may be wrong.
func TestServersTTL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, b2coretest.Config{NumericTTL: true, AccessTokenLifetime: 5 * time.Minute, Now: func() time.Time { return time.Now().Add(5 * time.Hour) }})
		if token := signIn(t, server, newClient(t, server)); time.Until(token.Expiry) != 5*time.Minute {
			t.Errorf("got %+v, want a token for 5 minutes", token)
		}
	})
}

// Config.DefaultLifetime counts where the answer has no ttl.
func TestDefaultLifetime(t *testing.T) {
	inBubble(t, func(t *testing.T, server *b2coretest.Server, client *b2core.Client) {
		server.Inject(b2coretest.EndpointAuth, apitest.Fault{Body: []byte(`{"token":"t"}`)})
		if token, err := client.SignIn(t.Context()); err != nil || time.Until(token.Expiry) != 45*time.Second {
			t.Errorf("got %+v, %v, want a token for 45 s", token, err)
		}
	}, func(c *b2core.Config) { c.DefaultLifetime = 45 * time.Second })
}

// The first token has expired, and its renewal signs in.
func TestFirstToken(t *testing.T) {
	server, client := open(t)
	first := client.FirstToken()
	if first.Valid() || first.Expiry.IsZero() || first.RefreshToken != "" {
		t.Errorf("got %+v", first)
	}
	for _, old := range []*oauth2.Token{first, {}} {
		token, err := client.Refresh(t.Context(), old)
		if err != nil {
			t.Fatal(err)
		}
		accepts(t, server, token)
	}
	asked(t, server, 2, 0)
}
