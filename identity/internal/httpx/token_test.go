package httpx

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"b2trader.identity.auth/identity/tokenapi"
)

func TestToken(t *testing.T) {
	sent := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	c := Peer{System: "test", HTTP: tokenapi.HTTP{}.WithDefaults()}.Call("test")
	c.Sent = sent
	extra := map[string]any{"host": "h"}
	token, err := c.Token(Tokens{Access: "a", Refresh: "r", Lifetime: time.Minute, RefreshLifetime: time.Hour, Extra: extra})
	if err != nil {
		t.Fatal(err)
	}
	if token.AccessToken != "a" || token.RefreshToken != "r" || token.TokenType != "Bearer" || !token.Expiry.Equal(sent.Add(time.Minute)) {
		t.Errorf("Token = %+v, want both tokens and an Expiry after 1 min", token)
	}
	if expiry, _ := token.Extra("refresh_expiry").(time.Time); !expiry.Equal(sent.Add(time.Hour)) || token.Extra("host") != "h" {
		t.Errorf("got the extras %v and %v, want 1 h after the request and h", expiry, token.Extra("host"))
	}
	if len(extra) != 1 {
		t.Errorf("the caller's map has %d members, want 1", len(extra))
	}
	if token, err := c.Token(Tokens{Access: "a"}); err != nil || token.Extra("refresh_expiry") != nil || !token.Expiry.Equal(sent) {
		t.Errorf("Token without lifetimes = %+v, %v, want it expired", token, err)
	}
	for name, bad := range map[string]Tokens{
		"no access token":    {Refresh: "r"},
		"a line break":       {Access: "a\r\nX: y"},
		"a space":            {Access: "a", Refresh: "r r"},
		"a negative life":    {Access: "a", Lifetime: -1},
		"an unhappy ending":  {Access: "a", RefreshLifetime: -1},
		"a letter not ASCII": {Access: "é"},
	} {
		if token, err := c.Token(bad); token != nil || !errors.Is(err, tokenapi.ErrUnusableAnswer) {
			t.Errorf("Token(%s) = %+v, %v, want ErrUnusableAnswer", name, token, err)
		}
	}
}

// seconds are valid values of Seconds.
var seconds = map[string]time.Duration{
	`"60"`: time.Minute, `60`: time.Minute, `3600.0`: time.Hour, `"3.6e3"`: time.Hour, `" 60 "`: time.Minute, `0`: 0, `-1`: 0, `"-1"`: 0, `null`: 7, `0.5`: time.Second / 2,
}

var notSeconds = []string{`""`, `"soon"`, `1e300`, `"NaN"`, `"Inf"`, `true`, `{}`, `[60]`}

func TestSeconds(t *testing.T) {
	for raw, want := range seconds {
		s := Seconds(7)
		if err := json.Unmarshal([]byte(raw), &s); err != nil || time.Duration(s) != want {
			t.Errorf("%s: got %v, %v, want %v", raw, time.Duration(s), err, want)
		}
	}
	for _, raw := range notSeconds {
		s := Seconds(7) // as if it were not told
		if err := json.Unmarshal([]byte(raw), &s); err != nil || s != 7 {
			t.Errorf("Seconds(%s) = %v, %v, want it unchanged", raw, time.Duration(s), err)
		}
	}
}

func FuzzSeconds(f *testing.F) {
	for raw := range seconds {
		f.Add(raw)
	}
	for _, raw := range notSeconds {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		var s Seconds
		if err := json.Unmarshal([]byte(raw), &s); err != nil && s != 0 || s < 0 || time.Duration(s) > maxSeconds*time.Second {
			t.Errorf("Seconds(%q) = %v, %v, want 0 to a hundred years", raw, time.Duration(s), err)
		}
	})
}
