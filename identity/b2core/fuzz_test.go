package b2core_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/b2core"
	"b2trader.identity.auth/identity/internal/clienttest"
)

// The secrets of a call that a server is fed with strange answers for, which can stand in the name of a host.
const fuzzBearer, fuzzRefresh = "canary-bearer-5ecret", "canary-refresh-5ecret"

// fuzzed answers one refresh with what a fuzz target made up, and checks that what comes of it is either a token that can be
// used or an error that hides the secrets, and those given. The client permits the host of the page's samples.
func fuzzed(t *testing.T, fault apitest.Fault, secrets ...string) (*oauth2.Token, error) {
	t.Helper()
	server, client := open(t, withBearer(b2core.StaticBearer(fuzzBearer)), func(c *b2core.Config) { c.Hosts = []string{"http://example.com"} })
	always(server, fault)
	began := time.Now()
	token, err := client.Refresh(t.Context(), &oauth2.Token{RefreshToken: fuzzRefresh})
	switch {
	case clienttest.OnlyOne(t, token != nil, err) != nil:
		clienttest.Refused(t, err, "b2core", append(secrets, fuzzBearer, fuzzRefresh)...)
	case token.RefreshToken == "":
		t.Error("the refresh token is lost")
	default:
		clienttest.Usable(t, token, began)
	}
	return token, err
}

// Answers that say yes, in whatever JSON or not.
func FuzzAnswer(f *testing.F) {
	for _, file := range []string{"auth.response.json", "refresh.response.json"} {
		f.Add(clienttest.Sample(f, file), "application/json")
	}
	f.Add([]byte(`{"token":"t","refreshToken":null,"ttl":60}`), "application/json; charset=utf-8")
	f.Add([]byte(`{"token":"t","ttl":1e2,"host":"https://`+fuzzBearer+`","header":"authorization"}`), "application/json")
	f.Add([]byte(`{"token":"`+fuzzRefresh+`\r\n","header":"X-`+fuzzBearer+`"}`), "application/json")
	f.Add([]byte(`{"token":["t"],"ttl":{}}`), "application/json")
	f.Add([]byte(`<html>`), "text/html")
	f.Add([]byte{0xff, 0xfe}, "")
	f.Fuzz(func(t *testing.T, body []byte, contentType string) {
		fault := apitest.Fault{Body: body, ContentType: contentType}
		if body == nil {
			fault.Body = []byte{}
		}
		_, _ = fuzzed(t, fault)
	})
}

// Refusals, of whatever status.
func FuzzRefusal(f *testing.F) {
	f.Add(401, []byte(`{"error":{"message":"Unauthenticated"}}`))
	f.Add(400, []byte(`{"error":{"message":"`+fuzzRefresh+`","details":[{"issue":"`+fuzzBearer+`"}]}}`))
	f.Add(422, []byte(`{"errors":[{"code":7,"message":"`+fuzzBearer+`"}],"title":"`+fuzzBearer+`"}`))
	f.Add(403, []byte(`{"error":"`+fuzzRefresh+`","error_description":"`+fuzzBearer+`"}`))
	f.Add(500, []byte(`{"traceId":"`+fuzzRefresh+`"}`))
	f.Add(302, []byte(`<html>`))
	f.Add(429, []byte{0xff})
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		if status < 300 || status > 599 {
			status = 300 + (status%300+300)%300
		}
		if token, err := fuzzed(t, apitest.Fault{Status: status, Body: body}); err == nil {
			t.Errorf("a refusal of status %d gives the token %+v", status, token)
		}
	})
}

// Each member of an answer by itself, with tokens that can be told from our own words.
func FuzzMembers(f *testing.F) {
	f.Add(`"60"`, "http://example.com", "Authorization")
	f.Add(`60`, "", "")
	f.Add(`null`, "https://access-5ecret.example", "X-access-5ecret")
	f.Add(`"-1"`, "https://renewal-5ecret@my.broker.example", "authorization")
	for host := range hosts {
		f.Add(`"60"`, host, "Authorization")
	}
	f.Fuzz(func(t *testing.T, ttl, host, header string) {
		if !json.Valid([]byte(ttl)) {
			ttl = "60"
		}
		body, err := json.Marshal(map[string]any{
			"token": "access-5ecret", "refreshToken": "renewal-5ecret", "ttl": json.RawMessage(ttl), "host": host, "header": header,
		})
		if err != nil {
			t.Fatal(err)
		}
		token, err := fuzzed(t, apitest.Fault{Body: body}, "access-5ecret", "renewal-5ecret")
		if err != nil || host == "" {
			return
		}
		u, err := url.Parse(host)
		if err != nil || !expected(u) || u.User != nil || token.Extra("host") != host {
			t.Errorf("a token from the host %q", host)
		}
	})
}

// expected reports whether u is of the client's own origin, or of the one that it permits.
func expected(u *url.URL) bool {
	name, port := strings.ToLower(u.Hostname()), u.Port()
	return u.Scheme == "https" && name == "my.broker.example" && (port == "" || port == "443") ||
		u.Scheme == "http" && name == "example.com" && (port == "" || port == "80")
}
