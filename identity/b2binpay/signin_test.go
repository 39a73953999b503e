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
		if time.Until(token.Expiry) != 15*time.Minute || time.Until(clienttest.RefreshExpiry(token)) != 6*time.Hour || !token.Valid() {
			t.Errorf("the tokens live until %v and %v", token.Expiry, clienttest.RefreshExpiry(token))
		}
		if server.Count(b2binpaytest.EndpointToken) != 1 {
			t.Errorf("%d requests", server.Count(b2binpaytest.EndpointToken))
		}
	})
}

// The identifier of the answer has been seen as null, a string and a number.
func TestAnyID(t *testing.T) {
	for _, id := range []any{nil, "0", 0, 34} {
		_, client := inMemory(t, b2binpaytest.Config{ID: id})
		refresh(t, client, signIn(t, client))
	}
}

func TestBadCredentials(t *testing.T) {
	for _, numeric := range []bool{false, true} {
		_, client := inMemory(t, b2binpaytest.Config{NumericCodes: numeric})
		token, err := client.SignIn(t.Context(), login, "wrong")
		e := wantError(t, err, tokenapi.ErrBadCredentials)
		if token != nil || e.StatusCode != http.StatusBadRequest || e.Code != "2006" || e.Description != "No active account found with the given credentials" {
			t.Errorf("got %#v", e)
		}
	}
}

// A signature by an empty password would be one that anybody can make.
func TestEmptyCredentials(t *testing.T) {
	server, client := inMemory(t, b2binpaytest.Config{})
	for _, c := range [][2]string{{"", password}, {login, ""}, {"", ""}} {
		_, err := client.SignIn(t.Context(), c[0], c[1])
		if e := wantError(t, err, tokenapi.ErrBadCredentials); e.Sent {
			t.Errorf("got %#v", e)
		}
	}
	if server.Count(b2binpaytest.EndpointToken) != 0 {
		t.Error("they were sent")
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
					t.Errorf("%s, unsigned allowed %v: got %v", name, allow, err)
				}
				continue
			}
			if e := wantError(t, err, tokenapi.ErrUnusableAnswer); got != nil || !strings.Contains(e.Description, "meta.sign") {
				t.Errorf("%s, unsigned allowed %v: got token %v, %v", name, allow, got != nil, e)
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

// An answer that is well signed, but for another account, is not this one's.
func TestSignOfAnotherAccount(t *testing.T) {
	server, client := inMemory(t, b2binpaytest.Config{})
	server.Inject(b2binpaytest.EndpointToken, answering(signedSample(t)))
	_, err := client.SignIn(t.Context(), "your_login", "another_password")
	wantError(t, err, tokenapi.ErrUnusableAnswer)
}

// is_2fa_confirmed is reported as it is, and changes nothing.
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
				t.Errorf("%s: got %v", name, got.Extra("is_2fa_confirmed"))
			}
		}
	}
}
