package identity_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/tokenapi"
)

func TestLogin(t *testing.T) {
	for _, c := range []struct{ id, scope string }{
		{identity.ClientSPA, "openid FrontOffice offline_access"},
		{identity.ClientSPAAdmin, "openid FrontOffice BackOffice offline_access"},
	} {
		t.Run(c.id, func(t *testing.T) {
			srv := identitytest.Start(t, identitytest.Config{})
			client := newClient(t, srv, c.id)
			before := time.Now()
			token := login(t, client)
			if token.AccessToken == "" || token.RefreshToken == "" || extra(token, "scope") != c.scope {
				t.Errorf("got the scope %q, want %q and both tokens", extra(token, "scope"), c.scope)
			}
			if life := token.Expiry.Sub(before); life < 30*time.Second || life > 40*time.Second {
				t.Errorf("the token lives %v, want 30 s", life)
			}
			id, err := client.VerifyIDToken(t.Context(), token)
			if err != nil {
				t.Fatal(err)
			}
			if id.Subject == "" || id.Issuer != srv.URL()+"/identity" {
				t.Errorf("got subject %q of issuer %q, want a subject of %s/identity", id.Subject, id.Issuer, srv.URL())
			}
		})
	}
}

func TestBadCredentials(t *testing.T) {
	for _, status := range []int{200, 400, 401, 422} { // no document states it
		srv, client := start(t)
		srv.Inject(identitytest.EndpointSignIn, identitytest.Fault{Status: status,
			Body: []byte(`{"errors":[{"code":"SignInUnsuccessful","message":"The sign-in was unsuccessful"}]}`)})
		_, err := client.SignIn(t.Context(), email, password)
		e := wantError(t, err, tokenapi.ErrBadCredentials)
		if e.Code != "SignInUnsuccessful" || e.StatusCode != status || e.Op != "sign in" || !e.Sent {
			t.Errorf("got %#v, want SignInUnsuccessful with status %d", e, status)
		}
	}
	_, client := start(t)
	_, err := client.SignIn(t.Context(), email, "another password")
	wantError(t, err, tokenapi.ErrBadCredentials)
}

func TestSignInAnswers(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault identitytest.Fault
		want  error
	}{
		{"too many requests", identitytest.Fault{Status: 429, RetryAfter: "7"}, tokenapi.ErrUnavailable},
		// field 9: only the documented shape is a refusal.
		{"not found", identitytest.Fault{Status: 404}, tokenapi.ErrMisconfigured},
		{"not found, with an error", identitytest.Fault{Status: 404, Body: []byte(`{"error":"not_found"}`)}, tokenapi.ErrMisconfigured},
		{"another method", identitytest.Fault{Status: 405, ContentType: "text/html", Body: []byte("<html>")}, tokenapi.ErrMisconfigured},
		{"403 with an OAuth error", identitytest.Fault{Status: 403, Body: []byte(`{"error":"cross_origin"}`)}, tokenapi.ErrUnusableAnswer},
		{"401 with a page", identitytest.Fault{Status: 401, ContentType: "text/html", Body: []byte("<html>")}, tokenapi.ErrUnavailable},
		{"403 with a page", identitytest.Fault{Status: 403, ContentType: "text/html", Body: []byte("<html>")}, tokenapi.ErrUnavailable},
		{"401 without a body", identitytest.Fault{Status: 401}, tokenapi.ErrUnusableAnswer},
		{"401 with problem details", identitytest.Fault{Status: 401, Body: []byte(`{"title":"Unauthorized","status":401}`)}, tokenapi.ErrBadCredentials},
		{"errors without a word", identitytest.Fault{Status: 400, Body: []byte(`{"errors":[{}]}`)}, tokenapi.ErrUnusableAnswer},
		{"a page", identitytest.Fault{Status: 200, ContentType: "text/html", Body: []byte("<html>")}, tokenapi.ErrUnusableAnswer},
		{"an empty object", identitytest.Fault{Status: 200, ContentType: "application/json", Body: []byte("{}")}, tokenapi.ErrUnusableAnswer},
	} {
		t.Run(c.name, func(t *testing.T) {
			srv, client := start(t)
			srv.Inject(identitytest.EndpointSignIn, c.fault)
			_, err := client.SignIn(t.Context(), email, password)
			e := wantError(t, err, c.want)
			if c.fault.RetryAfter != "" && e.RetryAfter != 7*time.Second {
				t.Errorf("RetryAfter = %v, want 7 s", e.RetryAfter)
			}
		})
	}
}

func TestCallsEndWithTheirContext(t *testing.T) {
	_, client := start(t)
	ctx, cancel := context.WithCancel(t.Context())
	s, err := client.SignIn(ctx, "guarded@example.com", "guarded-password")
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	_, err = client.SignIn(ctx, email, password)
	for _, err := range []error{err, s.VerifySecondFactor(ctx, "246810"), client.SignOut(ctx, "a", "r")} {
		if wantError(t, err, tokenapi.ErrUnavailable); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want it to wrap context.Canceled", err)
		}
	}
}

func TestSecondFactorCanBeReplaced(t *testing.T) {
	srv := identitytest.Start(t, identitytest.Config{})
	var seen []tokenapi.Exchange
	client := newClient(t, srv, identity.ClientSPA, func(c *identity.Config) {
		c.SecondFactorPath = "/identity/sign-in/step-2"
		c.SecondFactorBody = func(code, provider string) any { return map[string]string{"otp": code, "provider": provider} }
		c.HTTP.Observe = func(_ context.Context, e tokenapi.Exchange) { seen = append(seen, e) }
	})
	s, err := client.SignIn(t.Context(), "guarded@example.com", "guarded-password")
	if err != nil {
		t.Fatal(err)
	}
	wantError(t, s.VerifySecondFactor(t.Context(), "1"), tokenapi.ErrMisconfigured) // the test server has no such page
	last := seen[len(seen)-1]
	if last.URL != srv.URL()+"/identity/sign-in/step-2" || last.Parameters.Encode() != "otp=%5Bredacted%5D&provider=Email" {
		t.Errorf("sent %s with %v, want the configured path and body", last.URL, last.Parameters)
	}
}

// req 11, on the client's side: attempts share nothing.
func TestParallelSignIns(t *testing.T) {
	_, client := start(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := client.Login(t.Context(), email, password); err != nil {
				t.Errorf("Login = %v, want a token", err)
			}
		})
	}
	wg.Wait()
}

// Each attempt has its own cookies, from both Set-Cookie headers.
func TestCookies(t *testing.T) {
	srv, client := start(t)
	login(t, client)
	login(t, client)
	seen := map[string]bool{}
	for _, r := range srv.Requests(identitytest.EndpointAuthorize) {
		cookies := r.Header.Values("Cookie")
		if len(cookies) != 1 || strings.Count(cookies[0], "=") != 2 || strings.Contains(cookies[0], "Path") {
			t.Errorf("sent the cookies %q, want two in one header, without attributes", cookies)
		}
		seen[strings.Join(cookies, "")] = true
	}
	if len(seen) != 2 {
		t.Errorf("got %d different cookie headers in 2 attempts, want 2", len(seen))
	}
	for _, e := range []identitytest.Endpoint{identitytest.EndpointToken, identitytest.EndpointDiscovery, identitytest.EndpointKeys} {
		for _, r := range srv.Requests(e) {
			if r.Header.Get("Cookie") != "" {
				t.Errorf("%s received cookies, want none", e)
			}
		}
	}
}
