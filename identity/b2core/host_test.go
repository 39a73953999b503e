package b2core_test

import (
	"strings"
	"testing"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/b2core"
	"b2trader.identity.auth/identity/b2core/b2coretest"
	"b2trader.identity.auth/identity/tokenapi"
)

// hosts that an answer names, and what is wrong with them for a client of https://my.broker.example that permits
// https://trader.example.com and http://old.example.com:8080.
var hosts = map[string]string{
	"https://my.broker.example":          "",
	"https://my.broker.example/":         "",
	"https://MY.Broker.Example":          "",
	"HTTPS://my.broker.example":          "",
	"https://my.broker.example:443":      "",
	"https://my.broker.example:":         "",
	"https://my.broker.example/api/v2":   "",
	"https://trader.example.com":         "",
	"https://TRADER.example.com:443/a/b": "",
	"http://old.example.com:8080":        "",

	"http://my.broker.example":           "its host is http://my.broker.example, neither",
	"https://my.broker.example:8443":     "its host is https://my.broker.example:8443, neither",
	"https://old.example.com:8080":       "its host is https://old.example.com:8080, neither",
	"http://old.example.com":             "its host is http://old.example.com, neither",
	"http://trader.example.com:443":      "its host is http://trader.example.com:443, neither",
	"https://evil.example":               "its host is https://evil.example, neither",
	"https://my.broker.example.evil.com": "its host is https://my.broker.example.evil.com, neither",
	"https://my.broker.example.":         "its host is https://my.broker.example., neither",
	"https://[::1]":                      "its host is https://[::1], neither",

	"https://my.broker.example@evil.example":      "must not contain a user name",
	"https://user:pa55@my.broker.example":         "must not contain a user name",
	"https://my.broker.example?to=x":              "must be a bare URL",
	"https://my.broker.example?":                  "must be a bare URL",
	"https://my.broker.example#f":                 "must be a bare URL",
	"https://my.broker.example\\@evil.example":    "cannot be parsed",
	"https://my.broker.example\r\n":               "must be a bare URL",
	"https://my.bro\u212Aer.example":              "must be a bare URL", // the Kelvin sign, which is a k in lower case
	"https://my.bro%E2%84%AAer.example":           "must be a bare URL",
	"//my.broker.example":                         "must begin with https://",
	"my.broker.example":                           "must begin with https://",
	"ftp://my.broker.example":                     "must begin with https://",
	"https://":                                    "has no host",
	"https:my.broker.example":                     "has no host",
	"javascript:alert(1)//https://my.broker.exam": "must begin with https://",
}

// Whatever an answer says of its host, there is a token only with one that is expected.
func TestHosts(t *testing.T) {
	for host, problem := range hosts {
		for op, o := range calls {
			server, client := open(t, func(c *b2core.Config) {
				c.Hosts = []string{"https://trader.example.com/", "http://old.example.com:8080"}
			})
			old := signIn(t, server, client)
			server.Inject(o.endpoint, apitest.Fault{Answer: func(fields map[string]any) { fields["host"] = host }})
			token, err := o.call(t.Context(), client, old)
			if problem == "" {
				if err != nil || token.Extra("host") != host {
					t.Errorf("%s: %q: got %+v, %v", op, host, token, err)
				}
				continue
			}
			e := wantError(t, err, tokenapi.ErrUnusableAnswer)
			if token != nil || !strings.Contains(e.Description, problem) || strings.Contains(e.Error(), "pa55") || e.Outcome().Kind == tokenapi.Refused {
				t.Errorf("%s: %q: got %+v, %v, want %q", op, host, token, err, problem)
			}
		}
	}
}

// Without Config.Hosts only B2Core's own origin is good, which its URL may spell with a port and a path.
func TestOwnHost(t *testing.T) {
	for _, url := range []string{broker, broker + ":443", broker + "/", "https://My.Broker.Example"} {
		server := newServer(t, b2coretest.Config{Host: broker})
		signIn(t, server, newClient(t, server, func(c *b2core.Config) { c.URL = url }))
	}
	server := newServer(t, b2coretest.Config{Host: "http://example.com"})
	_, err := newClient(t, server).SignIn(t.Context())
	if e := wantError(t, err, tokenapi.ErrUnusableAnswer); !strings.Contains(e.Error(), "http://example.com") {
		t.Errorf("the error does not name what was not expected: %v", e)
	}
}
