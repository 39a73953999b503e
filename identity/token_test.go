package identity_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/tokenapi"
)

// req 16, 17, 39: each client authenticates in one way, and sends each request
// once.
func TestClientAuthentication(t *testing.T) {
	const odd = "s+c r%2Fet:=ü"
	srv := identitytest.Start(t, identitytest.Config{Clients: []identitytest.Client{
		{ID: "spa", Scopes: []string{"openid", "offline_access", "FrontOffice"}, GrantTypes: []string{identitytest.GrantAuthorizationCode}},
		{ID: "spa_admin", Secret: odd, Scopes: []string{"openid", "offline_access", "FrontOffice", "BackOffice"}, GrantTypes: []string{identitytest.GrantAuthorizationCode}},
	}})
	for _, id := range []string{"spa", "spa_admin"} {
		before := srv.Count(identitytest.EndpointToken)
		client := newClient(t, srv, id, func(c *identity.Config) {
			if id == "spa_admin" {
				c.ClientSecret = tokenapi.NewSecret(odd)
			}
		})
		if _, err := client.Refresh(t.Context(), login(t, client)); err != nil {
			t.Fatal(err)
		}
		requests := srv.Requests(identitytest.EndpointToken)[before:]
		if len(requests) != 2 {
			t.Fatalf("%s sent %d token requests for a code and a refresh, want 2", id, len(requests))
		}
		for _, r := range requests {
			basic, inBody := r.Header.Get("Authorization"), r.Form.Get("client_id")
			want := "Basic " + base64.StdEncoding.EncodeToString([]byte("spa_admin:"+url.QueryEscape(odd)))
			switch {
			case id == "spa" && (basic != "" || inBody != "spa"):
				t.Errorf("spa sent Authorization %q and client_id %q, want client_id only", basic, inBody)
			case id == "spa_admin" && (basic != want || inBody != ""):
				t.Errorf("spa_admin sent Authorization %q and client_id %q, want %q only", basic, inBody, want)
			}
			if r.Form.Has("client_secret") || len(r.Query) > 0 {
				t.Errorf("sent the form %v and query %v, want no client_secret and no query", r.Form, r.Query)
			}
		}
	}
}

// req 19: a code is sent once, whatever comes of it.
func TestCodesAreSpentOnce(t *testing.T) {
	for name, fault := range map[string]identitytest.Fault{
		"success": {}, "server error": {Status: 500}, "lost answer": {LoseAnswer: true}, "refused": {Status: 400, Body: []byte(`{"error":"invalid_grant"}`)},
	} {
		t.Run(name, func(t *testing.T) {
			srv, client := start(t)
			s := signIn(t, client)
			code, err := s.Authorize(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			srv.Inject(identitytest.EndpointToken, fault)
			_, _ = s.RetrieveToken(t.Context(), code)
			_, err = s.RetrieveToken(t.Context(), code)
			if e := wantError(t, err, tokenapi.ErrGrantRefused); e.Sent {
				t.Error("the second call has Sent set, want it not sent")
			}
			wantCount(t, srv, identitytest.EndpointToken, 1)
		})
	}
}

func TestCodeRefused(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *identitytest.Server, client *identity.Client) {
		s := signIn(t, client)
		code, err := s.Authorize(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		<-time.After(301 * time.Second)
		_, err = s.RetrieveToken(t.Context(), code)
		if e := wantError(t, err, tokenapi.ErrGrantRefused); e.StatusCode != http.StatusUnauthorized || e.TraceID == "" {
			t.Errorf("got %#v, want a 401 with a trace", e)
		}
		if _, err = s.Authorize(t.Context()); err != nil {
			t.Fatal(err)
		}
		_, err = s.RetrieveToken(t.Context(), "another code")
		wantError(t, err, tokenapi.ErrGrantRefused)
		wantCount(t, srv, identitytest.EndpointToken, 2)
	})
}

// Every shape of a refusal, on both grants (wire: OAuth, problem details,
// errors[]). req 54, 55, 57: they are told apart.
func TestTokenRefusals(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault identitytest.Fault
		want  error
		code  string
		trace bool
	}{
		{name: "invalid_grant", fault: identitytest.Fault{Status: 400, Body: []byte(`{"error":"invalid_grant"}`)}, want: tokenapi.ErrGrantRefused, code: "invalid_grant"},
		{name: "the README's 401", fault: identitytest.Fault{Status: 401, ContentType: "application/problem+json",
			Body: []byte(`{"type":"https://tools.ietf.org/html/rfc7235#section-3.1","title":"Unauthorized","status":401,"traceId":"00-f6213a0fd91d5a4a34416e6888533e62-eef840f862681e70-00"}`)},
			want: tokenapi.ErrGrantRefused, trace: true},
		{name: "invalid_client", fault: identitytest.Fault{Status: 400, Body: []byte(`{"error":"invalid_client"}`)}, want: tokenapi.ErrMisconfigured, code: "invalid_client"},
		{name: "unauthorized_client", fault: identitytest.Fault{Status: 400, Body: []byte(`{"error":"unauthorized_client"}`)}, want: tokenapi.ErrMisconfigured, code: "unauthorized_client"},
		{name: "refused with 200", fault: identitytest.Fault{Status: 200, Body: []byte(`{"error":"invalid_grant"}`)}, want: tokenapi.ErrGrantRefused, code: "invalid_grant"},
		{name: "errors[]", fault: identitytest.Fault{Status: 400, Body: []byte(`{"errors":[{"code":"Odd","message":"no"}]}`)}, want: tokenapi.ErrUnusableAnswer, code: "Odd"},
		{name: "temporarily_unavailable", fault: identitytest.Fault{Status: 400, Body: []byte(`{"error":"temporarily_unavailable"}`)}, want: tokenapi.ErrUnavailable, code: "temporarily_unavailable"},
		{name: "500", fault: identitytest.Fault{Status: 500}, want: tokenapi.ErrUnavailable},
		{name: "503", fault: identitytest.Fault{Status: 503, RetryAfter: "3"}, want: tokenapi.ErrUnavailable},
		{name: "429", fault: identitytest.Fault{Status: 429}, want: tokenapi.ErrUnavailable},
		{name: "a gateway's 403", fault: identitytest.Fault{Status: 403, ContentType: "text/html", Body: []byte("<html>")}, want: tokenapi.ErrUnavailable}, // field 9
		{name: "a gateway's 401", fault: identitytest.Fault{Status: 401, ContentType: "text/html", Body: []byte("<html>")}, want: tokenapi.ErrUnavailable},
		{name: "404", fault: identitytest.Fault{Status: 404}, want: tokenapi.ErrMisconfigured},
		{name: "cut before", fault: identitytest.Fault{LoseRequest: true}, want: tokenapi.ErrUnavailable},
		{name: "cut after", fault: identitytest.Fault{LoseAnswer: true}, want: tokenapi.ErrUnavailable},
	} {
		t.Run(c.name, func(t *testing.T) {
			srv, client := start(t)
			token := login(t, client)
			srv.Inject(identitytest.EndpointToken, c.fault)
			_, err := client.Login(t.Context(), email, password)
			wantError(t, err, c.want)
			srv.Inject(identitytest.EndpointToken, c.fault)
			_, err = client.Refresh(t.Context(), token)
			e := wantError(t, err, c.want)
			if e.Code != c.code || (e.TraceID != "") != c.trace || !e.Sent || (e.Outcome().Kind == tokenapi.Refused) != errors.Is(c.want, tokenapi.ErrGrantRefused) {
				t.Errorf("got %#v, want the code %q, a trace %v and the outcome of %v", e, c.code, c.trace, c.want)
			}
			if c.fault.RetryAfter != "" && e.RetryAfter != 3*time.Second {
				t.Errorf("RetryAfter = %v, want 3 s", e.RetryAfter)
			}
		})
	}
}

// req 20, 21
func TestTokenAnswers(t *testing.T) {
	set := func(name string, value any) identitytest.Fault {
		return identitytest.Fault{Answer: func(f map[string]any) { f[name] = value }}
	}
	unset := func(name string) identitytest.Fault {
		return identitytest.Fault{Answer: func(f map[string]any) { delete(f, name) }}
	}
	for _, c := range []struct {
		name  string
		fault identitytest.Fault
		life  time.Duration // 0: refused
	}{
		{"token_type in lower case", set("token_type", "bearer"), 30 * time.Second},
		{"expires_in as a string", set("expires_in", "60"), time.Minute},
		{"no expires_in", unset("expires_in"), 30 * time.Second},
		{"expires_in null", set("expires_in", nil), 30 * time.Second},
		{"unknown fields", set("extra", map[string]any{"a": []int{1}}), 30 * time.Second},
		{"no scope", unset("scope"), 30 * time.Second},
		{"no refresh_token", unset("refresh_token"), 30 * time.Second},
		{"problem+json", identitytest.Fault{ContentType: "application/problem+json"}, 30 * time.Second},
		{"wrong token_type", set("token_type", "mac"), 0},
		{"no token_type", unset("token_type"), 0},
		{"no access_token", unset("access_token"), 0},
		{"access_token a number", set("access_token", 7), 0},
		{"access_token with a line break", set("access_token", "a\r\nX: y"), 0},
		{"expires_in nonsense", set("expires_in", "soon"), 30 * time.Second}, // field 5
		{"text/html", identitytest.Fault{ContentType: "text/html"}, 30 * time.Second},
		{"errors beside it", set("errors", []any{map[string]any{"code": "odd"}}), 30 * time.Second}, // field 56
		{"form-encoded", identitytest.Fault{Status: 200, ContentType: "application/x-www-form-urlencoded", Body: []byte("access_token=a&token_type=bearer")}, 0},
		{"an array", identitytest.Fault{Status: 200, Body: []byte("[]")}, 0},
		{"empty", identitytest.Fault{Status: 200}, 0},
		{"oversized", identitytest.Fault{Oversized: true}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			srv, client := start(t)
			if err := client.Ready(t.Context()); err != nil {
				t.Fatal(err)
			}
			srv.Inject(identitytest.EndpointToken, c.fault)
			began := time.Now()
			token, err := client.Login(t.Context(), email, password)
			if c.life == 0 {
				wantError(t, err, tokenapi.ErrUnusableAnswer)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if life := token.Expiry.Sub(began); life < c.life || life > c.life+5*time.Second {
				t.Errorf("the token lives %v, want %v", life, c.life)
			}
			if got := extra(token.Token, "scope"); got == "" {
				t.Error("the token has no scope, want one")
			}
		})
	}
}

// The time until the answer counts as lifetime.
func TestExpiryIsReckonedFromTheRequest(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *identitytest.Server, client *identity.Client) {
		token := login(t, client)
		srv.Inject(identitytest.EndpointToken, identitytest.Fault{DelayAfter: 12 * time.Second})
		token, err := client.Refresh(t.Context(), token)
		if err != nil {
			t.Fatal(err)
		}
		if left := time.Until(token.Expiry); left != 18*time.Second {
			t.Errorf("%v are left, want 18s", left)
		}
	})
}

func TestTokensWithoutLifeAreExpired(t *testing.T) {
	srv, client := start(t)
	srv.Inject(identitytest.EndpointToken, identitytest.Fault{Answer: func(f map[string]any) { f["expires_in"] = json.Number("0") }})
	if token := login(t, client); token.Expiry.IsZero() || token.Expiry.After(time.Now()) {
		t.Errorf("Expiry with expires_in 0 = %v, want the time of the request", token.Expiry)
	}
}

// field 40: HTTP.Timeout bounds a sign-in, but does not cut a refresh or a
// resumption, which may use up a token that works once.
func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, err := identitytest.New(identitytest.Config{})
		if err != nil {
			t.Fatal(err)
		}
		client, err := identity.New(identity.Config{URL: "https://trader.example.com", ClientID: "spa", HTTP: tokenapi.HTTP{Transport: srv.Transport(), Timeout: 15 * time.Second}})
		if err != nil {
			t.Fatal(err)
		}
		state := finished(t, client)
		refresh := func() error { _, err := client.RefreshToken(t.Context(), login(t, client).RefreshToken); return err }
		resume := func() error { _, _, err := client.Resume(t.Context(), state); return err }
		signIn := func() error { _, err := client.Login(t.Context(), email, password); return err }
		for _, c := range []struct {
			name         string
			call         func() error
			grant        string
			delay, after time.Duration
			answered     bool
		}{
			{"refresh", refresh, "refresh_token", 16 * time.Second, 16 * time.Second, true},
			{"refresh", refresh, "refresh_token", time.Hour, tokenapi.RefreshTimeout, false},
			{"resume", resume, "authorization_code", 16 * time.Second, 16 * time.Second, true},
			{"resume", resume, "authorization_code", time.Hour, tokenapi.RefreshTimeout, false},
			{"sign in", signIn, "authorization_code", 16 * time.Second, 15 * time.Second, false},
		} {
			srv.Inject(identitytest.EndpointToken, identitytest.Fault{Grant: c.grant, DelayAfter: c.delay})
			began := time.Now()
			err := c.call()
			if took := time.Since(began); took != c.after || (err == nil) != c.answered {
				t.Errorf("%s, answered after %v: %v after %v, want success %v after %v", c.name, c.delay, err, took, c.answered, c.after)
			}
			if err != nil && !wantError(t, err, tokenapi.ErrUnavailable).Sent {
				t.Errorf("%s: %v, want it sent", c.name, err)
			}
		}
	})
}

func TestRefreshWithoutARefreshToken(t *testing.T) {
	srv, client := start(t)
	_, err := client.Refresh(t.Context(), &oauth2.Token{AccessToken: "a"})
	if e := wantError(t, err, tokenapi.ErrGrantRefused); e.Sent || srv.Count(identitytest.EndpointToken) != 0 {
		t.Errorf("got %#v, want it not sent", e)
	}
}
