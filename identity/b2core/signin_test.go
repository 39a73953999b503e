package b2core_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/b2core"
	"b2trader.identity.auth/identity/b2core/b2coretest"
	"b2trader.identity.auth/identity/tokenapi"
)

func TestSignIn(t *testing.T) {
	inBubble(t, func(t *testing.T, server *b2coretest.Server, client *b2core.Client) {
		token := signIn(t, server, client)
		if token.RefreshToken == "" || token.RefreshToken == token.AccessToken || token.TokenType != "Bearer" || token.Extra("host") != broker {
			t.Errorf("got %+v with the host %v", token, token.Extra("host"))
		}
		if want := time.Now().Add(time.Minute); !token.Expiry.Equal(want) || token.Extra("refresh_expiry") != nil {
			t.Errorf("it expires at %v, want %v; the refresh token at %v, want nothing said of it", token.Expiry, want, token.Extra("refresh_expiry"))
		}
		asked(t, server, 1, 0)
	})
}

// The life is reckoned from the moment of asking, by our clock, whatever the server's says.
func TestExpiryIsByOurClock(t *testing.T) {
	for _, skew := range []time.Duration{-5 * time.Hour, 0, 5 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			server := newServer(t, b2coretest.Config{Now: func() time.Time { return time.Now().Add(skew) }})
			client := newClient(t, server)
			for name, op := range calls {
				old := signIn(t, server, client)
				server.Inject(op.endpoint, apitest.Fault{DelayAfter: 7 * time.Second})
				began := time.Now()
				token, err := op.call(t.Context(), client, old)
				if err != nil {
					t.Fatal(err)
				}
				if want := began.Add(time.Minute); !token.Expiry.Equal(want) {
					t.Errorf("%s: it expires at %v, want %v", name, token.Expiry, want)
				}
			}
		})
	}
}

// Every way to say how long a token lives.
func TestLifetimes(t *testing.T) {
	const assumed = 45 * time.Second
	for name, c := range map[string]struct {
		ttl  any // nil: none
		want time.Duration
	}{
		"a string":        {"90", 90 * time.Second},
		"a number":        {90, 90 * time.Second},
		"a fraction":      {0.5, time.Second / 2},
		"of spaces":       {" 90 ", 90 * time.Second},
		"zero":            {"0", assumed},
		"none":            {nil, assumed},
		"an empty string": {"", assumed},
		"words":           {"a minute", assumed},
		"negative":        {"-90", assumed},
		"for ever":        {"1e99", assumed},
		"an object":       {map[string]any{}, assumed},
	} {
		inBubble(t, func(t *testing.T, server *b2coretest.Server, client *b2core.Client) {
			server.Inject(b2coretest.EndpointAuth, apitest.Fault{Answer: func(fields map[string]any) {
				fields["ttl"] = c.ttl
				if name == "none" {
					delete(fields, "ttl")
				}
			}})
			token, err := client.SignIn(t.Context())
			if err != nil || !token.Expiry.Equal(time.Now().Add(c.want)) {
				t.Errorf("%s: got %+v, %v", name, token, err)
			}
		}, func(c *b2core.Config) { c.DefaultLifetime = assumed })
	}
	inBubble(t, func(t *testing.T, server *b2coretest.Server, client *b2core.Client) {
		server.Inject(b2coretest.EndpointAuth, apitest.Fault{Answer: func(fields map[string]any) { fields["ttl"] = nil }})
		token, err := client.SignIn(t.Context())
		if err != nil || !token.Expiry.Equal(time.Now().Add(time.Minute)) {
			t.Errorf("by default: got %+v, %v", token, err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, b2coretest.Config{NumericTTL: true, AccessTokenLifetime: 5 * time.Minute})
		token := signIn(t, server, newClient(t, server))
		if !token.Expiry.Equal(time.Now().Add(5 * time.Minute)) {
			t.Errorf("a number from the server: got %+v", token)
		}
	})
}

// What says yes and cannot be used.
func TestUnusableAnswers(t *testing.T) {
	change := func(name string, value any) apitest.Fault {
		return apitest.Fault{Answer: func(fields map[string]any) { fields[name] = value }}
	}
	for name, fault := range map[string]apitest.Fault{
		"not JSON":                {Body: []byte("<html>"), ContentType: "text/html"},
		"JSON by another name":    {ContentType: "text/plain"},
		"no content":              {Status: http.StatusNoContent},
		"cut short":               {Body: []byte(`{"token":"t`)},
		"a list":                  {Body: []byte(`[]`)},
		"null":                    {Body: []byte(`null`)},
		"oversized":               {Oversized: true},
		"no token":                {Answer: func(fields map[string]any) { delete(fields, "token") }},
		"an empty token":          change("token", ""),
		"a token with a break":    change("token", "t\r\nX: y"),
		"a token that is none":    change("token", 7),
		"a refresh token, broken": change("refreshToken", "r\n"),
		"another header":          change("header", "X-Token"),
		"a header that is none":   change("header", 7),
		"a host that is none":     change("host", 7),
	} {
		for op, o := range calls {
			inBubble(t, func(t *testing.T, server *b2coretest.Server, client *b2core.Client) {
				old := signIn(t, server, client)
				server.Inject(o.endpoint, fault)
				token, err := o.call(t.Context(), client, old)
				if e := wantError(t, err, tokenapi.ErrUnusableAnswer); token != nil || !e.Sent || e.Outcome().Kind == tokenapi.Refused || e.Op != op {
					t.Errorf("%s: %s: got %+v, %v", op, name, token, err)
				}
			})
		}
	}
}

// The header is Authorization, however it is spelt, or not told.
func TestHeaders(t *testing.T) {
	for _, header := range []any{"Authorization", "authorization", "AUTHORIZATION", "", nil} {
		server, client := open(t)
		server.Inject(b2coretest.EndpointAuth, apitest.Fault{Answer: func(fields map[string]any) { fields["header"] = header }})
		signIn(t, server, client)
	}
}

// A vault starts with a token that is of no use but to be renewed.
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
