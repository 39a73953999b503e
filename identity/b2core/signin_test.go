package b2core_test

import (
	"testing"
	"time"

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

// Config.DefaultLifetime counts where the answer has no ttl.
func TestDefaultLifetime(t *testing.T) {
	inBubble(t, func(t *testing.T, server *b2coretest.Server, client *b2core.Client) {
		server.Inject(b2coretest.EndpointAuth, apitest.Fault{Body: []byte(`{"token":"t"}`)})
		if token, err := client.SignIn(t.Context()); err != nil || time.Until(token.Expiry) != 45*time.Second {
			t.Errorf("got %+v, %v, want a token for 45 s", token, err)
		}
	}, func(c *b2core.Config) { c.DefaultLifetime = 45 * time.Second })
}
