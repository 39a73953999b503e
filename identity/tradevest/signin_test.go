package tradevest_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/tradevest"
	"b2trader.identity.auth/identity/tradevest/tradevesttest"
)

func TestSignIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := start(t)
		began := time.Now()
		token := signIn(t, client)
		if token.AccessToken == "" || token.TokenType != "Bearer" || token.RefreshToken != "" || !token.Expiry.Equal(began.Add(time.Hour)) {
			t.Errorf("got %+v", token)
		}
		for _, name := range []string{"access_token", "expires_in", "token_type", "scope"} {
			if v := token.Extra(name); v != nil {
				t.Errorf("the token carries %s: %v", name, v)
			}
		}
		next, err := client.Refresh(t.Context(), token)
		if err != nil || next.AccessToken == token.AccessToken {
			t.Errorf("got %v", err)
		}
		if _, err = client.Refresh(t.Context(), nil); err != nil {
			t.Errorf("without an old token: %v", err)
		}
		if n := server.Count(tradevesttest.EndpointToken); n != 3 {
			t.Errorf("%d requests for 3 calls", n)
		}
	})
}

// The credentials travel in the body, form-encoded, and nowhere else; req 16, 17.
func TestCredentialsTravelInTheBody(t *testing.T) {
	const odd = "s+c r%2Fet:=&ü'\""
	server := newServer(t, tradevesttest.Config{ClientID: "a&b=c d", ClientSecret: odd})
	client := newClient(t, server, func(c *tradevest.Config) { c.ClientID, c.ClientSecret = "a&b=c d", tokenapi.Fixed(odd) })
	signIn(t, client)
	r := server.Requests(tradevesttest.EndpointToken)[0]
	if r.Form.Get("client_id") != "a&b=c d" || r.Form.Get("client_secret") != odd || r.Form.Get("grant_type") != "client_credentials" || len(r.Form) != 3 {
		t.Errorf("sent %v", r.Form)
	}
	if r.Header.Get("Authorization") != "" || len(r.Query) != 0 || r.Header.Get("Requestor-ID") != "" {
		t.Errorf("sent %v, query %v", r.Header, r.Query)
	}
}

// Every refusal that the doc lists, with its status, and what may come instead.
func TestRefusals(t *testing.T) {
	body := func(code string) []byte { return []byte(`{"error":"` + code + `"}`) }
	for _, c := range []struct {
		name  string
		fault apitest.Fault
		want  error
		code  string
	}{
		{"invalid_client", apitest.Fault{Status: 400, Body: body("invalid_client")}, tokenapi.ErrBadCredentials, "invalid_client"},
		{"invalid_grant", apitest.Fault{Status: 400, Body: body("invalid_grant")}, tokenapi.ErrBadCredentials, "invalid_grant"},
		{"invalid_request", apitest.Fault{Status: 400, Body: body("invalid_request")}, tokenapi.ErrMisconfigured, "invalid_request"},
		{"unauthorized_client", apitest.Fault{Status: 400, Body: body("unauthorized_client")}, tokenapi.ErrMisconfigured, "unauthorized_client"},
		{"unsupported_grant_type", apitest.Fault{Status: 400, Body: body("unsupported_grant_type")}, tokenapi.ErrMisconfigured, "unsupported_grant_type"},
		{"invalid_scope", apitest.Fault{Status: 400, Body: body("invalid_scope")}, tokenapi.ErrMisconfigured, "invalid_scope"},
		{"temporarily_unavailable", apitest.Fault{Status: 400, Body: body("temporarily_unavailable")}, tokenapi.ErrUnavailable, "temporarily_unavailable"},
		{"server_error", apitest.Fault{Status: 400, Body: body("server_error")}, tokenapi.ErrUnavailable, "server_error"},
		{"invalid_client with 401", apitest.Fault{Status: 401, Body: body("invalid_client")}, tokenapi.ErrBadCredentials, "invalid_client"},
		{"unauthorized_client with 401", apitest.Fault{Status: 401, Body: body("unauthorized_client")}, tokenapi.ErrMisconfigured, "unauthorized_client"},
		{"invalid_client with 200", apitest.Fault{Status: 200, Body: body("invalid_client")}, tokenapi.ErrBadCredentials, "invalid_client"},
		{"invalid_client with 500", apitest.Fault{Status: 500, Body: body("invalid_client")}, tokenapi.ErrBadCredentials, "invalid_client"},
		{"401 without a body", apitest.Fault{Status: 401}, tokenapi.ErrBadCredentials, ""},
		{"401 of a proxy", apitest.Fault{Status: 401, ContentType: "text/html", Body: []byte("<html>")}, tokenapi.ErrUnavailable, ""},
		{"an unknown code", apitest.Fault{Status: 400, Body: body("odd")}, tokenapi.ErrUnusableAnswer, "odd"},
		{"400 without a body", apitest.Fault{Status: 400}, tokenapi.ErrUnusableAnswer, ""},
		{"403 of a proxy", apitest.Fault{Status: 403, ContentType: "text/html", Body: []byte("<html>")}, tokenapi.ErrUnusableAnswer, ""},
		{"302", apitest.Fault{Status: 302}, tokenapi.ErrUnusableAnswer, ""},
		{"404", apitest.Fault{Status: 404}, tokenapi.ErrMisconfigured, ""},
		{"405", apitest.Fault{Status: 405}, tokenapi.ErrMisconfigured, ""},
		{"408", apitest.Fault{Status: 408}, tokenapi.ErrUnavailable, ""},
		{"429", apitest.Fault{Status: 429, RetryAfter: "7"}, tokenapi.ErrUnavailable, ""},
		{"500", apitest.Fault{Status: 500}, tokenapi.ErrUnavailable, ""},
		{"503", apitest.Fault{Status: 503, RetryAfter: "7"}, tokenapi.ErrUnavailable, ""},
	} {
		server, client := start(t)
		server.Inject(tradevesttest.EndpointToken, c.fault)
		token, err := client.SignIn(t.Context())
		e := wantError(t, err, c.want)
		if token != nil || e.Code != c.code || e.StatusCode != c.fault.Status || !e.Sent || e.Outcome().Kind == tokenapi.Refused {
			t.Errorf("%s: got %v, %#v", c.name, token, e)
		}
		if c.fault.RetryAfter != "" && e.RetryAfter != 7*time.Second {
			t.Errorf("%s: RetryDelay is %v", c.name, e.RetryAfter)
		}
		if n := server.Count(tradevesttest.EndpointToken); n != 1 {
			t.Errorf("%s: the request was sent %d times", c.name, n)
		}
	}
}

// The server's own refusals, not told to it.
func TestServerRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		server tradevesttest.Config
		client func(*tradevest.Config)
		want   error
		code   string
	}{
		"another secret": {tradevesttest.Config{}, func(c *tradevest.Config) { c.ClientSecret = tokenapi.Fixed("other") }, tokenapi.ErrBadCredentials, "invalid_client"},
		"another client": {tradevesttest.Config{}, func(c *tradevest.Config) { c.ClientID = "other" }, tokenapi.ErrBadCredentials, "invalid_client"},
		"no scope":       {tradevesttest.Config{Scope: "tradevest.api"}, func(*tradevest.Config) {}, tokenapi.ErrMisconfigured, "invalid_scope"},
		"another path":   {tradevesttest.Config{TokenPath: "/connect/token"}, func(*tradevest.Config) {}, tokenapi.ErrMisconfigured, ""},
	} {
		client := newClient(t, newServer(t, c.server), c.client)
		_, err := client.SignIn(t.Context())
		if e := wantError(t, err, c.want); e.Code != c.code {
			t.Errorf("%s: got %#v", name, e)
		}
	}
}

// req 20, 21: what the answer may leave out or spell otherwise, and what makes it unusable.
func TestAnswers(t *testing.T) {
	set := func(name string, value any) apitest.Fault {
		return apitest.Fault{Answer: func(f map[string]any) { f[name] = value }}
	}
	unset := func(name string) apitest.Fault {
		return apitest.Fault{Answer: func(f map[string]any) { delete(f, name) }}
	}
	const absurd = (1<<31 - 1) * time.Second // what x/oauth2 takes for the longest life
	const unusable = -1
	for _, c := range []struct {
		name  string
		fault apitest.Fault
		life  time.Duration
	}{
		{"expires_in 3600", set("expires_in", 3600), time.Hour},
		{"expires_in as a string", set("expires_in", "3600"), time.Hour},
		{"expires_in is short", set("expires_in", 30), 30 * time.Second},
		{"no expires_in", unset("expires_in"), 2 * time.Hour},
		{"expires_in null", set("expires_in", nil), 2 * time.Hour},
		{"expires_in 0", set("expires_in", 0), 0},
		{"expires_in \"0\"", set("expires_in", "0"), 0},
		{"expires_in -1", set("expires_in", -1), 0},
		{"expires_in \"-3600\"", set("expires_in", "-3600"), 0},
		{"expires_in absurd", set("expires_in", json.Number("99999999999")), absurd},
		{"expires_in absurd, below zero", set("expires_in", json.Number("-4294963696")), 0},
		{"expires_in more than absurd", set("expires_in", json.Number("1e300")), unusable},
		{"expires_in a fraction", set("expires_in", json.Number("0.5")), unusable},
		{"expires_in nonsense", set("expires_in", "soon"), unusable},
		{"expires_in an object", set("expires_in", map[string]any{}), unusable},
		{"token_type in lower case", set("token_type", "bearer"), time.Hour},
		{"token_type another", set("token_type", "DPoP"), unusable},
		{"no token_type", unset("token_type"), unusable},
		{"no access_token", unset("access_token"), unusable},
		{"access_token empty", set("access_token", ""), unusable},
		{"access_token a number", set("access_token", 7), unusable},
		{"access_token with a line break", set("access_token", "a\r\nX: y"), unusable},
		{"access_token with a space", set("access_token", "a b"), unusable},
		{"unknown members", set("extra", map[string]any{"a": []int{1}}), time.Hour},
		{"a refresh token, which is not of this API", set("refresh_token", "r"), time.Hour},
		{"JSON by another name", apitest.Fault{ContentType: "application/vnd.api+json; charset=utf-8"}, time.Hour},
		{"text/html", apitest.Fault{ContentType: "text/html"}, unusable},
		{"no media type", apitest.Fault{ContentType: ";"}, unusable},
		{"a form", apitest.Fault{ContentType: "application/x-www-form-urlencoded", Body: []byte("access_token=a&token_type=Bearer")}, unusable},
		{"an array", apitest.Fault{Body: []byte("[]")}, unusable},
		{"half an answer", apitest.Fault{Body: []byte(`{"access_token":"a","token_type":"Bearer"`)}, unusable},
		{"nothing", apitest.Fault{Status: 200}, unusable},
		{"204", apitest.Fault{Status: 204}, unusable},
		{"oversized", apitest.Fault{Oversized: true}, unusable},
	} {
		synctest.Test(t, func(t *testing.T) {
			server, client := start(t, func(c *tradevest.Config) { c.DefaultLifetime = 2 * time.Hour })
			server.Inject(tradevesttest.EndpointToken, c.fault)
			token, err := client.SignIn(t.Context())
			if c.life == unusable {
				if e := wantError(t, err, tokenapi.ErrUnusableAnswer); token != nil || e.Description == "" {
					t.Errorf("%s: got %v, %#v", c.name, token, e)
				}
				return
			}
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			if left := time.Until(token.Expiry); left != c.life || token.TokenType != "Bearer" || token.RefreshToken != "" {
				t.Errorf("%s: it lives %v, want %v; %q, refresh token %q", c.name, left, c.life, token.TokenType, token.RefreshToken)
			}
		})
	}
}

// Without expires_in and without a word from the caller, a token lives for an hour.
func TestDefaultLifetime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := start(t)
		server.Inject(tradevesttest.EndpointToken, apitest.Fault{Answer: func(f map[string]any) { delete(f, "expires_in") }})
		if left := time.Until(signIn(t, client).Expiry); left != time.Hour {
			t.Errorf("%v are left", left)
		}
	})
}

// The vendor's guide: another path, a scope, and perhaps an answer that names it.
func TestPathAndScopes(t *testing.T) {
	server := newServer(t, tradevesttest.Config{TokenPath: "/connect/token", Scope: "tradevest.api other"})
	scopes := []string{"tradevest.api", "other"}
	client := newClient(t, server, func(c *tradevest.Config) { c.TokenPath, c.Scopes = "/connect/token", scopes })
	scopes[0] = "changed afterwards"
	if scope := signIn(t, client).Extra("scope"); scope != nil {
		t.Errorf("the server named no scope, the token has %v", scope)
	}
	server.Inject(tradevesttest.EndpointToken, apitest.Fault{Answer: func(f map[string]any) { f["scope"] = "tradevest.api" }})
	if scope := signIn(t, client).Extra("scope"); scope != "tradevest.api" {
		t.Errorf("the server named a scope, the token has %v", scope)
	}
	if r := server.Requests(tradevesttest.EndpointToken)[0]; !strings.HasSuffix(string(r.Body), "&grant_type=client_credentials&scope=tradevest.api+other") {
		t.Errorf("sent %s", r.Body)
	}
}

// A server that lives below a path.
func TestURLWithAPath(t *testing.T) {
	server := newServer(t, tradevesttest.Config{TokenPath: "/tradevest/oauth2/token"})
	signIn(t, newClient(t, server, func(c *tradevest.Config) { c.URL = "https://proxy.example.com/tradevest//" }))
	if n := server.Count(tradevesttest.EndpointToken); n != 1 {
		t.Errorf("%d requests", n)
	}
}

// One Client serves many at once, each with an answer of its own.
func TestSignInsSideBySide(t *testing.T) {
	server, client := start(t)
	server.Inject(tradevesttest.EndpointToken, apitest.Fault{Times: 10, Status: 400, Body: []byte(`{"error":"invalid_client"}`)})
	var mu sync.Mutex
	tokens, refused := map[string]bool{}, 0
	var all sync.WaitGroup
	for range 30 {
		all.Go(func() {
			token, err := client.SignIn(t.Context())
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				tokens[token.AccessToken] = true
			case errors.Is(err, tokenapi.ErrBadCredentials):
				refused++
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	if len(tokens) != 20 || refused != 10 {
		t.Errorf("%d tokens and %d refusals, want 20 and 10", len(tokens), refused)
	}
}

// A token whose answer took long has lived that long already; the server's clock does not matter, ours does.
func TestExpiryIsReckonedFromTheRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, tradevesttest.Config{Now: func() time.Time { return time.Now().Add(-5 * time.Hour) }})
		server.Inject(tradevesttest.EndpointToken, apitest.Fault{DelayBefore: 4 * time.Second, DelayAfter: 8 * time.Second})
		if left := time.Until(signIn(t, newClient(t, server)).Expiry); left != time.Hour-12*time.Second {
			t.Errorf("%v are left", left)
		}
		ours := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
		client := newClient(t, server, func(c *tradevest.Config) { c.HTTP.Now = func() time.Time { return ours } })
		if expiry := signIn(t, client).Expiry; !expiry.Equal(ours.Add(time.Hour)) {
			t.Errorf("by our clock it expires at %v", expiry)
		}
	})
}

// req 23: the secret is asked before every request, and what comes of it is told.
func TestSecretIsAskedEachTime(t *testing.T) {
	secret := &aSecret{value: tradevesttest.SampleClientSecret}
	server, client := start(t, withSecret(secret))
	signIn(t, client)
	server.SetClientSecret("another")
	_, err := client.SignIn(t.Context())
	wantError(t, err, tokenapi.ErrBadCredentials)
	secret.set("another", nil)
	signIn(t, client)
	if _, err := client.Refresh(t.Context(), &oauth2.Token{}); err != nil {
		t.Error(err)
	}
	if secret.asked != 4 {
		t.Errorf("the secret was asked for %d times for 4 requests", secret.asked)
	}

	sent := server.Count(tradevesttest.EndpointToken)
	secret.set("", fs.ErrNotExist)
	_, err = client.SignIn(t.Context())
	if e := wantError(t, err, tokenapi.ErrMisconfigured); e.Sent || !errors.Is(err, fs.ErrNotExist) || !strings.Contains(e.Error(), "Config.ClientSecret failed") {
		t.Errorf("got %v", err)
	}
	secret.set("", nil)
	_, err = client.SignIn(t.Context())
	if e := wantError(t, err, tokenapi.ErrMisconfigured); e.Sent || !strings.Contains(e.Error(), "empty secret") {
		t.Errorf("got %v", err)
	}
	if n := server.Count(tradevesttest.EndpointToken); n != sent {
		t.Errorf("%d requests were sent without a secret", n-sent)
	}
}
