package web_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/web"
)

// req 80: while the store fails, no user is half signed in or out. It heals by itself.
func TestStoreOutage(t *testing.T) { // field 43, 65
	for name, how := range map[string]func(ctx context.Context) error{
		"refuses":              nil,
		"says CLUSTERDOWN":     func(context.Context) error { return errors.New("CLUSTERDOWN The cluster is down") },
		"hangs":                func(ctx context.Context) error { return hang(ctx, 3*time.Second) },
		"hangs without an end": func(ctx context.Context) error { return hang(ctx, time.Hour) },
	} {
		t.Run(name, func(t *testing.T) { testStoreOutage(t, how) })
	}
}

// hang waits as a store does whose database does not answer.
func hang(ctx context.Context, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	<-ctx.Done()
	return ctx.Err()
}

func testStoreOutage(t *testing.T, how func(context.Context) error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, shared, func(c *web.Config) { c.Store = &outage{Store: c.Store, how: how} })
		down := &s.config.Store.(*outage).down
		b, late := s.browser(), s.browser()
		b.signIn("trader", "spa").leadsTo("/account")
		cookie := b.session()
		down.Store(true)
		for _, a := range []*answer{b.post("/sign-out"), b.post("/sign-out/everywhere"), late.signIn("admin", "spa")} {
			if a.is(503); a.header.Get("Retry-After") == "" || a.header.Get("Set-Cookie") != "" {
				t.Errorf("Retry-After %q, a cookie: %t", a.header.Get("Retry-After"), a.header.Get("Set-Cookie") != "")
			}
		}
		down.Store(false)
		if b.session() != cookie || late.session() != "" {
			t.Error("a cookie was changed")
		}
		b.get("/session").is(200)
		late.get("/session").is(401)
		pass(time.Minute)
		late.signIn("admin", "spa").leadsTo("/account")
	})
}

// A sign-in that fails halfway leaves neither a session nor tokens that are alive.
func TestSignInFailsHalfway(t *testing.T) {
	for _, prefix := range []string{"token:", "session:", "user:", "mail:", "link:"} {
		t.Run(prefix, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, shared, func(c *web.Config) { c.Store = &outage{Store: c.Store, unwritable: prefix} })
				b := s.browser()
				b.signIn("trader", "spa").is(503)
				if b.session() != "" {
					t.Error("a cookie")
				}
				s.config.Store.(*outage).unwritable = ""
				pass(time.Second)
				if n := s.identity.Count(identitytest.EndpointSignOut); n != 1 {
					t.Errorf("%d remote sign-outs, want one", n)
				}
				b.signIn("trader", "spa").leadsTo("/account")
				if ids := b.get("/sessions").is(200).ids(); len(ids) != 1 {
					t.Errorf("%d sessions", len(ids))
				}
			})
		})
	}
}

// A second sign-in gives the session a new ID. A store that is full, and takes
// only deletions, does not cost the session.
func TestFullStoreKeepsTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, shared, func(c *web.Config) { c.Store = &outage{Store: c.Store} })
		full := &s.config.Store.(*outage).full
		b := s.browser()
		b.signIn("trader", "spa").leadsTo("/account")
		full.Store(true)
		for _, user := range []string{"guarded", "admin"} { // with a second factor, and without
			b.signIn(user, "spa").is(503)
			b.get("/session").is(200, "trader@example.com")
		}
		full.Store(false)
		before := b.session()
		b.signIn("guarded", "spa")
		b.get("/session").is(200, "trader@example.com")
		b.setSession(before)
		b.get("/session").is(401)
	})
}
