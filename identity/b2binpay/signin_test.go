package b2binpay_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/b2binpay"
	"b2trader.identity.auth/identity/b2binpay/b2binpaytest"
	"b2trader.identity.auth/identity/internal/clienttest"
	"b2trader.identity.auth/identity/tokenapi"
)

func TestSignIn(t *testing.T) {
	inBubble(t, b2binpaytest.Config{}, func(t *testing.T, server *b2binpaytest.Server, client *b2binpay.Client) {
		token := signIn(t, client)
		if access, refresh := clienttest.Lives(token); access != 15*time.Minute || refresh != 6*time.Hour {
			t.Errorf("the tokens live %v and %v, want 15 minutes and 6 hours", access, refresh)
		}
		for _, want := range []int{200, 401} {
			if got := clienttest.Send(t, server.Server, http.MethodGet, b2binpaytest.APIPath, "", "Authorization", "Bearer "+token.AccessToken).Status; got != want {
				t.Errorf("the API answers %d, want %d", got, want)
			}
			server.ExpireTokens()
		}
		<-time.After(6 * time.Hour)
		_, err := client.Refresh(t.Context(), token)
		wantError(t, err, tokenapi.ErrGrantRefused)
	})
}

func TestBadCredentials(t *testing.T) {
	for _, numeric := range []bool{false, true} {
		_, client := inMemory(t, b2binpaytest.Config{NumericCodes: numeric})
		token, err := client.SignIn(t.Context(), login, "wrong")
		e := wantError(t, err, tokenapi.ErrBadCredentials)
		if token != nil || e.StatusCode != http.StatusBadRequest || e.Code != "2006" || e.Description != "No active account found with the given credentials" {
			t.Errorf("got %#v, want the code 2006", e)
		}
	}
}

// Empty credentials are not sent: their signature proves nothing.
func TestEmptyCredentials(t *testing.T) {
	server, client := inMemory(t, b2binpaytest.Config{})
	for _, c := range [][2]string{{"", password}, {login, ""}, {"", ""}} {
		_, err := client.SignIn(t.Context(), c[0], c[1])
		if e := wantError(t, err, tokenapi.ErrBadCredentials); e.Sent {
			t.Errorf("SignIn(%q) = %#v, want it not sent", c, e)
		}
	}
	if server.Count(b2binpaytest.EndpointToken) != 0 {
		t.Errorf("got %d requests, want none", server.Count(b2binpaytest.EndpointToken))
	}
}

// meta.sign covers meta.time, letter for letter, and the refresh token.
func TestSign(t *testing.T) {
	meta := func(change func(meta map[string]any)) func(map[string]any) {
		return func(fields map[string]any) { change(fields["meta"].(map[string]any)) }
	}
	token := func(name string) func(map[string]any) {
		return func(fields map[string]any) { attributes(fields)[name] = "another" }
	}
	lastSign := func(m map[string]any) string { return m["sign"].(string) }
	for name, c := range map[string]struct {
		change   func(fields map[string]any)
		good     bool
		unsigned bool // accepted if AllowUnsigned
	}{
		"as it is":               {func(map[string]any) {}, true, true},
		"in upper case":          {meta(func(m map[string]any) { m["sign"] = strings.ToUpper(lastSign(m)) }), true, true},
		"access token replaced":  {token("access"), true, true}, // not covered
		"refresh token replaced": {token("refresh"), false, false},
		"refresh token dropped":  {func(f map[string]any) { delete(attributes(f), "refresh") }, false, false},
		"time in other letters":  {meta(func(m map[string]any) { m["time"] = strings.Replace(m["time"].(string), "Z", "+00:00", 1) }), false, false},
		"time dropped":           {meta(func(m map[string]any) { delete(m, "time") }), false, false},
		"time a number":          {meta(func(m map[string]any) { m["time"] = 1 }), false, false},
		"one letter changed":     {meta(func(m map[string]any) { m["sign"] = swapFirst(lastSign(m)) }), false, false},
		"cut short":              {meta(func(m map[string]any) { m["sign"] = lastSign(m)[:62] }), false, false},
		"no hex":                 {meta(func(m map[string]any) { m["sign"] = "z" + lastSign(m)[1:] }), false, false},
		"of another type":        {meta(func(m map[string]any) { m["sign"] = 7 }), false, false},
		"empty":                  {meta(func(m map[string]any) { m["sign"] = "" }), false, true},
		"null":                   {meta(func(m map[string]any) { m["sign"] = nil }), false, true},
		"dropped":                {meta(func(m map[string]any) { delete(m, "sign") }), false, true},
		"meta dropped":           {func(f map[string]any) { delete(f, "meta") }, false, true},
	} {
		for _, allow := range []bool{false, true} {
			server, client := inMemory(t, b2binpaytest.Config{}, func(c *b2binpay.Config) { c.AllowUnsigned = allow })
			server.Inject(b2binpaytest.EndpointToken, apitest.Fault{Answer: c.change})
			got, err := client.SignIn(t.Context(), login, password)
			if c.good || allow && c.unsigned {
				if err != nil || got == nil {
					t.Errorf("%s, AllowUnsigned %v: got %v, want a token", name, allow, err)
				}
				continue
			}
			if e := wantError(t, err, tokenapi.ErrUnusableAnswer); got != nil || !strings.Contains(e.Description, "meta.sign") {
				t.Errorf("%s, AllowUnsigned %v: got token %v, %v, want an error about meta.sign", name, allow, got != nil, e)
			}
		}
	}
}

// swapFirst replaces the first hex digit.
func swapFirst(sign string) string {
	if sign[0] == '0' {
		return "1" + sign[1:]
	}
	return "0" + sign[1:]
}

// A token reports is_2fa_confirmed, which has no other effect.
func TestConfirmed(t *testing.T) {
	for name, c := range map[string]struct{ told, want any }{
		"true": {true, true}, "false": {false, false}, "null": {nil, nil}, "of another type": {"true", nil},
	} {
		server, client := inMemory(t, b2binpaytest.Config{})
		for _, endpoint := range []apitest.Endpoint{b2binpaytest.EndpointToken, b2binpaytest.EndpointRefresh} {
			server.Inject(endpoint, apitest.Fault{Answer: func(f map[string]any) { attributes(f)["is_2fa_confirmed"] = c.told }})
		}
		token := signIn(t, client)
		next := refresh(t, client, token)
		for _, got := range []*oauth2.Token{token, next} {
			if got.Extra("is_2fa_confirmed") != c.want || !got.Valid() {
				t.Errorf("%s: got %v, want %v", name, got.Extra("is_2fa_confirmed"), c.want)
			}
		}
	}
}

// The Config's paths replace the article's, and need their trailing slash: the
// server redirects a path without it, which the client does not follow.
func TestPaths(t *testing.T) {
	server, client := inMemory(t, b2binpaytest.Config{}, func(c *b2binpay.Config) {
		c.URL, c.TokenPath, c.RefreshPath = bubbleURL+"/token/", "/", "/refresh"
	})
	token := signIn(t, client)
	_, err := client.Refresh(t.Context(), token)
	if e := wantError(t, err, tokenapi.ErrUnusableAnswer); e.StatusCode != http.StatusMovedPermanently || server.Count(b2binpaytest.EndpointRefresh) != 0 {
		t.Errorf("without the slash: got %#v, want a 301", e)
	}
}
