package identity_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/internal/clienttest"
	"b2trader.identity.auth/identity/tokenapi"
)

// moved returns the sign-in as another process continues it.
func moved(t *testing.T, client *identity.Client, s *identity.SignIn) *identity.SignIn {
	t.Helper()
	p, err := s.Pending()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := p.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	var back identity.PendingSignIn
	if err := back.UnmarshalBinary(raw); err != nil {
		t.Fatal(err)
	}
	next, err := client.ContinueSignIn(back)
	if err != nil {
		t.Fatal(err)
	}
	return next
}

// longLived makes the cookies of a server live for a year in milliseconds, as
// some servers take seconds for.
type longLived struct{ base http.RoundTripper }

func (l longLived) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := l.base.RoundTrip(r)
	if err == nil {
		for i, line := range resp.Header["Set-Cookie"] {
			resp.Header["Set-Cookie"][i] = line + "; Max-Age=31536000000"
		}
	}
	return resp, err
}

func TestLongLivedCookies(t *testing.T) {
	srv := identitytest.Start(t, identitytest.Config{})
	client := newClient(t, srv, identity.ClientSPA, func(c *identity.Config) { c.HTTP.Transport = longLived{http.DefaultTransport} })
	s, err := client.SignIn(t.Context(), "guarded@example.com", "guarded-password")
	if err != nil {
		t.Fatal(err)
	}
	s = moved(t, client, s)
	if err := s.VerifySecondFactor(t.Context(), "246810"); err != nil {
		t.Fatal(err)
	}
	if _, err := moved(t, client, s).Finish(t.Context()); err != nil {
		t.Error(err)
	}
}

// field 60: each step of a sign-in may be done by another process.
func TestSignInMovesBetweenProcesses(t *testing.T) {
	srv, client := start(t)
	another := newClient(t, srv, identity.ClientSPA)
	s, err := client.SignIn(t.Context(), "guarded@example.com", "guarded-password")
	if err != nil {
		t.Fatal(err)
	}
	s = moved(t, another, s)
	if s.SecondFactor == nil || s.SecondFactor.Provider == "" {
		t.Fatalf("SecondFactor after the move = %v, want the server's", s.SecondFactor)
	}
	wantError(t, s.VerifySecondFactor(t.Context(), "000000"), tokenapi.ErrSecondFactorRefused)
	s = moved(t, client, s)
	if err := s.VerifySecondFactor(t.Context(), "246810"); err != nil {
		t.Fatal(err)
	}
	s = moved(t, another, s)
	if s.Account.Email != "guarded@example.com" {
		t.Errorf("Account after the move = %+v, want guarded@example.com", s.Account)
	}
	code, err := s.Authorize(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s = moved(t, client, s)
	if _, err := s.RetrieveToken(t.Context(), code); err != nil {
		t.Fatal(err)
	}
	if _, err := moved(t, another, s).State(); err != nil {
		t.Errorf("State after the move = %v, want no error", err)
	}
}

// The cookies keep their paths and their ends, and a cookie that the server
// replaced or removed does not come back.
func TestPendingSignInKeepsCookies(t *testing.T) {
	srv := identitytest.Start(t, identitytest.Config{})
	lines := [][]string{{
		"everywhere=1; path=/", "elsewhere=1; path=/other", "here=1; path=/identity/sign-in", "unnamed=1",
		"replaced=1; path=/", "removed=1; path=/", "brief=1; path=/; max-age=3600", "over=1; path=/; expires=Thu, 01 Jan 1970 00:00:00 GMT",
	}, {"replaced=2; path=/", "removed=; path=/; max-age=0"}}
	answers := 0
	client := newClient(t, srv, identity.ClientSPA, func(c *identity.Config) {
		base := c.HTTP.Transport
		if base == nil {
			base = http.DefaultTransport
		}
		c.HTTP.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
			resp, err := base.RoundTrip(r)
			if err == nil && answers < len(lines) {
				for _, line := range lines[answers] {
					resp.Header.Add("Set-Cookie", line)
				}
				answers++
			}
			return resp, err
		})
	})
	s, err := client.SignIn(t.Context(), "guarded@example.com", "guarded-password")
	if err != nil {
		t.Fatal(err)
	}
	s = moved(t, client, s)
	for range 2 {
		wantError(t, s.VerifySecondFactor(t.Context(), "000000"), tokenapi.ErrSecondFactorRefused)
		s = moved(t, client, s)
	}
	sent := srv.Requests(identitytest.EndpointSignIn)
	for i, want := range []string{"", "everywhere=1 here=1 replaced=1 removed=1 brief=1 unnamed=1", "everywhere=1 here=1 replaced=2 brief=1 unnamed=1"} {
		got := map[string]string{}
		for _, c := range cookiesOf(sent[i].Header) {
			got[c.Name] = c.Value
		}
		delete(got, "Identity.TwoFactorUserId")
		for pair := range strings.FieldsSeq(want) {
			name, value, _ := strings.Cut(pair, "=")
			if got[name] != value {
				t.Errorf("request %d: cookie %s = %q, want %q", i, name, got[name], value)
			}
			delete(got, name)
		}
		if len(got) > 0 {
			t.Errorf("request %d has also the cookies %v, want none of them", i, got)
		}
	}
}

func cookiesOf(h http.Header) []*http.Cookie {
	return (&http.Request{Header: h}).Cookies()
}

func TestPendingSignInIsRefused(t *testing.T) {
	srv, client := start(t)
	if _, err := new(identity.SignIn).Pending(); err == nil {
		t.Error("Pending of a zero SignIn = nil, want an error")
	}
	s, err := client.SignIn(t.Context(), "guarded@example.com", "guarded-password")
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Pending()
	if err != nil {
		t.Fatal(err)
	}
	other := newClient(t, srv, identity.ClientSPAAdmin)
	_, err = other.ContinueSignIn(p)
	wantError(t, err, tokenapi.ErrNotSignedIn)
	_, err = client.ContinueSignIn(identity.PendingSignIn{})
	wantError(t, err, tokenapi.ErrNotSignedIn)
	for _, raw := range []string{"x", "{}", `{"v":2,"client":"spa"}`, `{"v":1}`, "null", "[]"} {
		if err := new(identity.PendingSignIn).UnmarshalBinary([]byte(raw)); err == nil {
			t.Errorf("UnmarshalBinary(%s) = nil, want an error", raw)
		}
	}
	raw, err := p.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	var kept struct {
		Cookies []struct {
			Line string `json:"l"`
		} `json:"cookies"`
	}
	if err := json.Unmarshal(raw, &kept); err != nil || len(kept.Cookies) == 0 {
		t.Fatalf("the bytes of the sign-in have the cookies %v (%v), want some", kept.Cookies, err)
	}
	for _, c := range kept.Cookies {
		parsed, err := http.ParseSetCookie(c.Line)
		if err != nil {
			t.Fatal(err)
		}
		clienttest.Hides(t, p, parsed.Value)
		clienttest.Hides(t, s, parsed.Value)
	}
}

// A server cannot make the stored sign-in grow without bound.
func TestPendingSignInIsBounded(t *testing.T) {
	srv := identitytest.Start(t, identitytest.Config{})
	client := newClient(t, srv, identity.ClientSPA)
	srv.Inject(identitytest.EndpointSignIn, identitytest.Fault{Answer: func(fields map[string]any) {
		fields["message"] = string(bytes.Repeat([]byte("m"), 70<<10))
	}})
	s, err := client.SignIn(t.Context(), "guarded@example.com", "guarded-password")
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Pending()
	wantError(t, err, tokenapi.ErrUnusableAnswer)
}
