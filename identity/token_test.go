package identity_test

import (
	"encoding/base64"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

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
