package web_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/vault"
)

// withoutKey returns a replica that lacks the key of the session store.
func (s *site) withoutKey() *site {
	other := *s
	other.config.Keys = []vault.Key{vault.NewKey("another")}
	return other.replica()
}

// call makes an API call.
func (b *browser) call(path string) *answer {
	r := b.request(http.MethodGet, path, nil)
	r.Header.Set("X-Requested-With", "test")
	r.Header.Set("Accept", "application/json")
	w := httptest.NewRecorder()
	b.site.web.ServeHTTP(w, r)
	return &answer{t: b.site.t, status: w.Code, header: w.Header(), body: w.Body.String()}
}

// field 42: a replica that cannot read a session says so with 503 on pages, in
// API calls, in streams and in /session. It is not signed out.
func TestUnreadableSessionIsUnavailable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, shared, quietly)
		blind := s.withoutKey()
		b := s.browser()
		b.signIn("trader", "spa").leadsTo("/account")
		at := b.at(blind)
		for name, a := range map[string]*answer{
			"/": at.get("/"), "/account": at.get("/account"), "/sessions": at.get("/sessions"), "/flow": at.get("/flow"),
			"/session": at.get("/session"), "/account/token": at.get("/account/token"),
			"a call": at.call("/api/frontoffice/v3/account"), "a stream": at.call("/api/frontoffice/prices"),
			"a form": at.post("/sessions/end-others"), "everywhere": at.post("/sign-out/everywhere"),
		} {
			if a.status != 503 || a.header.Get("Retry-After") == "" || a.header.Get("Set-Cookie") != "" {
				t.Errorf("%s = %d, Retry-After %q, Set-Cookie %q, want 503 with a time and no cookie",
					name, a.status, a.header.Get("Retry-After"), a.header.Get("Set-Cookie"))
			}
		}
		b.get("/session").is(200)
		at.get("/sign-in").is(200)
	})
}

// field 42: a sign-out ends the session everywhere, with its streams, even at a
// replica that cannot read it.
func TestSignOutOfUnreadableSession(t *testing.T) {
	for name, end := range map[string]func(b *browser){
		"sign-out":        func(b *browser) { b.post("/sign-out").leadsTo("/sign-in?done=signed-out") },
		"another sign-in": func(b *browser) { b.signIn("admin", "spa").leadsTo("/account") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, shared, quietly)
				blind := s.withoutKey()
				b := s.browser()
				b.signIn("trader", "spa").leadsTo("/account")
				thief := s.browser()
				thief.setSession(b.session())
				stream := thief.stream(prices)
				pass(time.Second)
				before := b.session()
				end(b.at(blind))
				if ended := (<-stream); time.Since(ended) > time.Second {
					t.Errorf("the stream ended %v ago", time.Since(ended))
				}
				if b.session() == before {
					t.Error("the browser has the old cookie")
				}
				thief.get("/session").is(401)
				thief.at(blind).get("/session").is(401)
				thief.call("/api/frontoffice/v3/account").is(401)
			})
		})
	}
}

// field 42: a replica whose clock takes a session for ended ends it all the same,
// with its tokens.
func TestSignOutByAClockAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, shared)
		ahead := *s
		ahead.config.Now = func() time.Time { return time.Now().Add(time.Hour) }
		early := ahead.replica()
		b := s.browser()
		b.signIn("trader", "spa").leadsTo("/account")
		thief := s.browser()
		thief.setSession(b.session())
		b.at(early).post("/sign-out").leadsTo("/sign-in?done=signed-out")
		synctest.Wait()
		thief.get("/session").is(401)
		if n := strings.Count(s.log.String(), `"tokens revoked"`); n != 1 {
			t.Errorf("the tokens of %d sessions are revoked, want 1", n)
		}
	})
}
