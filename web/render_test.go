package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/vault"
)

func newTestServer(t *testing.T) *Server {
	t.Helper()
	client, err := identity.New(identity.Config{URL: "http://127.0.0.1", ClientID: identity.ClientSPA})
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(Config{Clients: []*identity.Client{client}, PublicURL: "https://app.example"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Signing out everywhere leaves nothing in the vault.
func TestSignOutEverywhereEmptiesTheVault(t *testing.T) {
	s := newTestServer(t)
	u := user{Owner: "owner", VaultKey: "mine", Client: "spa"}
	for key, owner := range map[string]string{"mine": "owner", "also mine": "owner", "another's": "other"} {
		entry := vault.Entry{Owner: owner, Client: "spa", Token: &oauth2.Token{AccessToken: "a"}}
		if err := s.vault.Put(t.Context(), key, entry); err != nil {
			t.Fatal(err)
		}
	}
	h := s.withSession(s.page(func(w http.ResponseWriter, r *http.Request) error { return s.signOutEverywhere(w, r, u) }))
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/sign-out/everywhere", nil))
	for key, want := range map[string]error{"mine": vault.ErrNotFound, "also mine": vault.ErrNotFound, "another's": nil} {
		if _, err := s.vault.Status(t.Context(), key); !errors.Is(err, want) {
			t.Errorf("%s: %v", key, err)
		}
	}
}

// Where not even the error page can be drawn, the one drawn at the start is sent.
func TestFallbackPage(t *testing.T) {
	s := newTestServer(t)
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second)) // no component draws then
	defer cancel()
	w := httptest.NewRecorder()
	s.fail(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil), errors.New("private"))
	if w.Code != http.StatusInternalServerError || !strings.Contains(w.Body.String(), "Something went wrong here") || strings.Contains(w.Body.String(), "private") {
		t.Errorf("%d: %s", w.Code, w.Body)
	}
}

func TestAbandonedRequest(t *testing.T) {
	s := newTestServer(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w := httptest.NewRecorder()
	s.fail(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil), fmt.Errorf("call: %w", context.Canceled))
	if w.Code != 499 || w.Body.Len() > 0 {
		t.Errorf("%d: %s", w.Code, w.Body)
	}
}

// req 132: what nobody foresaw is an internal error without a detail.
func TestExplain(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "/flow?a=b", nil)
	for _, c := range []struct {
		err    error
		status int
		code   string
	}{
		{errors.New("private"), 500, "internal"},
		{fmt.Errorf("x: %w", vault.ErrEnded), 401, "no_session"},
		{fmt.Errorf("x: %w", vault.ErrNotFound), 401, "no_session"},
		{fmt.Errorf("x: %w", &vault.UnavailableError{Err: identity.ErrMisconfigured}), 503, "unavailable"}, // req 57: no session is lost
		{&identity.Error{Err: identity.ErrUnavailable, RetryAfter: 9 * time.Second}, 503, "unavailable"},
		{&identity.Error{Err: identity.ErrSecondFactorRequired}, 500, "internal"},
		{&http.MaxBytesError{}, 413, "too_large"},
		{&fault{Status: 404, Err: errors.New("private")}, 404, "not_found"},
		{&fault{Status: 418}, 418, "internal"},
	} {
		f := explain(r, c.err)
		if f.Status != c.status || f.Code != c.code || f.Headline == "" || f.Explanation == "" || len(f.Actions) == 0 || f.Err == nil {
			t.Errorf("%v: %+v", c.err, f)
		}
		if strings.Contains(f.Headline+f.Explanation, "private") {
			t.Errorf("%v is told to everyone", c.err)
		}
	}
	if f := explain(r, errNoSession); f.Actions[0].Href != "/sign-in?return_to=%2Fflow%3Fa%3Db" {
		t.Errorf("sign in again at %s", f.Actions[0].Href)
	}
}

// req 96: no part of a bearer is shown, not even one that the bound on reading cut off.
func TestShowBodyOfOpaqueBearer(t *testing.T) {
	bearer := strings.Repeat("0123456789abcdef", 4)
	body := strings.Repeat(bearer, apiMaxBody/len(bearer)) + bearer // and one byte more than is read
	shown := showBody([]byte(body[:apiMaxBody+1]), apiMaxShow, bearer)
	if strings.ContainsAny(strings.ReplaceAll(shown, tokenRemoved, ""), "0123456789") || !strings.Contains(shown, tokenRemoved) {
		t.Errorf("shown: …%s", shown[max(0, len(shown)-100):])
	}
	if got := showBody([]byte(strings.Repeat("é", apiMaxBody)[:apiMaxBody+1]), apiMaxShow, bearer); !strings.HasPrefix(got, "éé") {
		t.Errorf("a character that was cut makes it no text: %.20s", got)
	}
}

// Handlers reach the connection through the writers that wrap it.
func TestStatusWriterUnwraps(t *testing.T) {
	w := httptest.NewRecorder()
	if err := http.NewResponseController(&statusWriter{ResponseWriter: w}).Flush(); err != nil || !w.Flushed {
		t.Errorf("flush: %v", err)
	}
}

// A handler that only writes has answered 200.
func TestStatusWriterCounts(t *testing.T) {
	sw := &statusWriter{ResponseWriter: httptest.NewRecorder()}
	if _, err := sw.Write([]byte("abc")); err != nil {
		t.Fatal(err)
	}
	if sw.status != http.StatusOK || sw.bytes != 3 {
		t.Errorf("status %d, %d bytes", sw.status, sw.bytes)
	}
}
