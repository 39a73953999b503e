package b2core_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/b2core"
	"b2trader.identity.auth/identity/b2core/b2coretest"
	"b2trader.identity.auth/identity/internal/clienttest"
	"b2trader.identity.auth/identity/tokenapi"
)

// hosts maps the host of an answer to what is wrong with it, for the client
// https://api.example that permits two more.
var hosts = map[string]string{
	"https://api.example":                "",
	"https://api.example/":               "",
	"https://API.Example":                "",
	"HTTPS://api.example":                "",
	"https://api.example:443":            "",
	"https://api.example:":               "",
	"https://api.example/api/v2":         "",
	"https://trader.example.com":         "",
	"https://TRADER.example.com:443/a/b": "",
	"http://old.example.com:8080":        "",

	"http://api.example":            "its host is http://api.example, neither",
	"https://api.example:8443":      "its host is https://api.example:8443, neither",
	"https://old.example.com:8080":  "its host is https://old.example.com:8080, neither",
	"http://old.example.com":        "its host is http://old.example.com, neither",
	"http://trader.example.com:443": "its host is http://trader.example.com:443, neither",
	"https://evil.example":          "its host is https://evil.example, neither",
	"https://api.example.evil.com":  "its host is https://api.example.evil.com, neither",
	"https://api.example.":          "its host is https://api.example., neither",
	"https://[::1]":                 "its host is https://[::1], neither",

	"https://api.example@evil.example":      "must not contain a user name",
	"https://user:pa55@api.example":         "must not contain a user name",
	"https://api.example?to=x":              "must be a bare URL",
	"https://api.example?":                  "must be a bare URL",
	"https://api.example#f":                 "must be a bare URL",
	"https://api.example\\@evil.example":    "cannot be parsed",
	"https://api.example\r\n":               "must be a bare URL",
	"https://api.exam\u212Ale":              "must be a bare URL", // the Kelvin sign, whose lower case is k
	"https://api.exam%E2%84%AAle":           "must be a bare URL",
	"//api.example":                         "must begin with https://",
	"api.example":                           "must begin with https://",
	"ftp://api.example":                     "must begin with https://",
	"https://":                              "has no host",
	"https:api.example":                     "has no host",
	"javascript:alert(1)//https://api.exam": "must begin with https://",
}

func quoted(s string) string {
	raw, _ := json.Marshal(s) // a string can always be marshalled
	return string(raw)
}

// Without Config.Hosts only B2Core's own origin is good. Its URL may spell that
// with a port and a path.
func TestOwnHost(t *testing.T) {
	for _, url := range []string{broker, broker + ":443", broker + "/", "https://My.Broker.Example"} {
		server := newServer(t, b2coretest.Config{Host: broker})
		signIn(t, server, newClient(t, server, func(c *b2core.Config) { c.URL = url }))
	}
	server := newServer(t, b2coretest.Config{Host: "http://example.com"})
	_, err := newClient(t, server).SignIn(t.Context())
	if e := wantError(t, err, tokenapi.ErrUnusableAnswer); !strings.Contains(e.Error(), "http://example.com") {
		t.Errorf("got %v, want the host in it", e)
	}
}

// A token carries its host, which is of an expected origin.
func FuzzHost(f *testing.F) {
	for host := range hosts {
		f.Add(host)
	}
	server, client := open(f, func(c *b2core.Config) {
		c.URL, c.Hosts = "https://api.example", []string{"http://old.example.com:8080"}
	})
	f.Fuzz(func(t *testing.T, host string) {
		always(server, apitest.Fault{Body: []byte(`{"token":"access-5ecret","refreshToken":"renewal-5ecret","host":` + quoted(host) + `}`)})
		defer server.ClearFaults()
		token, err := client.Refresh(t.Context(), &oauth2.Token{RefreshToken: "r"})
		if err != nil {
			clienttest.Refused(t, err, "b2core", "access-5ecret", "renewal-5ecret")
			return
		}
		sent := ""
		_ = json.Unmarshal([]byte(quoted(host)), &sent) // without what is not UTF-8
		if sent == "" {
			return
		}
		u, err := url.Parse(sent)
		if err != nil || !expected(u) || u.User != nil || token.Extra("host") != sent {
			t.Errorf("host %q: got a token with the host %v, want an error", host, token.Extra("host"))
		}
	})
}

// expected reports whether u has the client's own origin or the permitted one.
func expected(u *url.URL) bool {
	name, port := strings.ToLower(u.Hostname()), u.Port()
	return u.Scheme == "https" && name == "api.example" && (port == "" || port == "443") ||
		u.Scheme == "http" && name == "old.example.com" && port == "8080"
}

// An error does not show tokens that the answer hides in its host.
func TestHostsHideSecrets(t *testing.T) {
	for _, host := range []string{"https://canary-bearer.example", "https://canary-access.example", "https://canary-refresh.example:1", "https://canary-access@evil.example", "https://u:canary-refresh@" + broker[8:]} {
		server, client := open(t, withBearer(b2core.StaticBearer("canary-bearer")))
		server.Inject(b2coretest.EndpointAuth, apitest.Fault{Body: []byte(`{"token":"canary-access","refreshToken":"canary-refresh","host":"` + host + `"}`)})
		_, err := client.SignIn(t.Context())
		clienttest.Hides(t, wantError(t, err, tokenapi.ErrUnusableAnswer), "canary-bearer", "canary-access", "canary-refresh")
	}
}
