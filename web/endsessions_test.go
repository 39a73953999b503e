package web_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/web"
)

// silentAPI is an API whose only answer is an event stream that sends nothing.
type silentAPI struct{ base http.RoundTripper }

func (q silentAPI) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(r.URL.Path, "/api/prices") {
		return q.base.RoundTrip(r)
	}
	body, sender := io.Pipe()
	context.AfterFunc(r.Context(), func() { _ = sender.CloseWithError(r.Context().Err()) })
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: body, Request: r,
	}, nil
}

// prices is the stream of silentAPI.
const prices = "/api/frontoffice/prices"

// quietly gives a site the API silentAPI.
func quietly(c *web.Config) { c.APITransport = silentAPI{c.APITransport} }

// stream opens an event stream, and returns a channel that gets the time when it
// ends.
func (b *browser) stream(path string) <-chan time.Time {
	r := b.request(http.MethodGet, path, nil)
	r.Header = http.Header{"X-Requested-With": {"test"}, "Cookie": r.Header["Cookie"]}
	over := make(chan time.Time, 1)
	go func() {
		defer func() {
			_ = recover() // http.ErrAbortHandler, as net/http has it
			over <- time.Now()
		}()
		b.site.web.ServeHTTP(httptest.NewRecorder(), r)
	}()
	return over
}

// A session that has timed out, and is not swept yet, ends with a sign-out.
func TestSignOutOfATimedOutSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := s.browser()
		pass(30 * time.Second) // half of the interval of the sweep
		b.signIn("trader", "spa").leadsTo("/account")
		pass(15*time.Minute + 5*time.Second)
		if n := s.identity.Count(identitytest.EndpointRevocation); n != 0 {
			t.Fatalf("the tokens are revoked before the sign-out")
		}
		b.post("/sign-out").leadsTo("/sign-in?done=signed-out")
		if n := s.identity.Count(identitytest.EndpointSignOut); n != 1 || b.session() != "" {
			t.Errorf("%d sign-outs at the IdentityServer, the cookie is %q; want 1 and none", n, b.session())
		}
		pass(2 * time.Minute)
		if log := s.log.String(); strings.Contains(log, "session timed out") {
			t.Error("the session timed out after the sign-out")
		}
	})
}

// A stream that would open just after its session has ended, and before the
// tokens are deleted, is answered as any call without a session.
func TestStreamAfterItsSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b *browser
		s := newSite(t, shared, func(c *web.Config) {
			c.Store = &outage{Store: c.Store, takes: 40 * time.Millisecond}
			c.APITransport = handlerTransport(func(w http.ResponseWriter, _ *http.Request) {
				go b.at(b.site).post("/sign-out")
				<-time.After(60 * time.Millisecond)
				w.Header().Set("Content-Type", "text/event-stream")
			})
		})
		b = s.browser()
		b.signIn("trader", "spa").leadsTo("/account")
		b.call("/api/frontoffice/prices").is(401, "no_session")
		pass(time.Second)
	})
}

// A stream goes on while its session is used, and ends with it.
func TestStreamOfAUsedSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSite(t, shared, quietly).browser()
		b.signIn("trader", "spa").leadsTo("/account")
		over := b.stream(prices)
		for range 3 {
			pass(10 * time.Minute)
			b.get("/account").is(200)
		}
		used := time.Now()
		if took := (<-over).Sub(used); took.Round(time.Second) != 15*time.Minute {
			t.Errorf("the stream ended %v after the last use, want 15m", took)
		}
	})
}

// crowd signs a user in with n browsers, by turns at each of the sites.
func crowd(n int, sites ...*site) []*browser {
	var all []*browser
	for i := range n {
		b := sites[i%len(sites)].browser()
		b.signIn("trader", "spa").leadsTo("/account")
		all = append(all, b)
	}
	return all
}

// field 59: one write ends all sessions of a user at once, at each replica, with
// their streams. That the store fails right after it, or the replica dies,
// changes nothing.
func TestAllSessionsEndByOneWrite(t *testing.T) {
	for name, end := range map[string]func(s *site, own *browser){
		"everywhere": func(_ *site, own *browser) {
			own.post("/sign-out/everywhere").leadsTo("/sign-in?done=signed-out-everywhere")
		},
		"back-channel": func(s *site, _ *browser) { s.sendLogout(s.identity.SignLogoutToken(s.order("", traderID))) },
		"administrator": func(s *site, _ *browser) {
			admin := s.browser()
			admin.signIn("admin", "spa_admin").leadsTo("/account")
			admin.post("/admin/sessions/end", "subject", traderID).leadsTo("/admin/sessions?subject=" + traderID)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, shared, quietly, func(c *web.Config) { c.Store = &outage{Store: c.Store} })
				down := s.config.Store.(*outage)
				other := s.replica()
				all := crowd(10, s, other)
				var streams []<-chan time.Time
				for _, b := range all {
					streams = append(streams, b.stream(prices))
				}
				pass(time.Second)
				down.allowed.Store(1)
				down.cut.Store(true)
				acknowledged := time.Now()
				end(s, all[0])
				for i, over := range streams {
					if took := (<-over).Sub(acknowledged); took > time.Second {
						t.Errorf("stream %d ended after %v, want at most a second", i, took)
					}
				}
				down.cut.Store(false)
				for i, b := range all {
					if a := b.get("/session"); a.status != 401 {
						t.Errorf("session %d: GET /session = %d, want 401", i, a.status)
					}
				}
				again := s.browser() // a sign-in afterwards is a new session
				again.signIn("trader", "spa").leadsTo("/account")
				if ids := again.get("/sessions").is(200).ids(); len(ids) != 1 {
					t.Errorf("/sessions lists %d sessions, want the new one", len(ids))
				}
				again.at(other).get("/session").is(200)
			})
		})
	}
}

// field 59: if the one write fails, nothing has ended and the user can press the
// button again.
func TestSignOutEverywhereCanBeRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, shared, func(c *web.Config) { c.Store = &outage{Store: c.Store} })
		all := crowd(4, s)
		s.config.Store.(*outage).lose.Store(1)
		a := all[0].post("/sign-out/everywhere").is(503)
		if a.header.Get("Retry-After") == "" || a.header.Get("Set-Cookie") != "" {
			t.Errorf("Retry-After %q, Set-Cookie %q, want a time and no cookie", a.header.Get("Retry-After"), a.header.Get("Set-Cookie"))
		}
		for _, b := range all {
			b.get("/session").is(200)
		}
		all[0].post("/sign-out/everywhere").leadsTo("/sign-in?done=signed-out-everywhere")
		for _, b := range all {
			b.get("/session").is(401)
		}
	})
}

// field 59: at a full store the other sessions end one by one. The user hears how
// many are left, and can press the button again.
func TestOtherSessionsEndOneByOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, shared, func(c *web.Config) { c.Store = &outage{Store: c.Store} })
		all := crowd(4, s)
		full := s.config.Store.(*outage)
		full.full.Store(true)
		full.lose.Store(1)
		a := all[0].post("/sessions/end-others").is(503, "1 of 3 sessions")
		if a.header.Get("Retry-After") == "" {
			t.Error("Retry-After = none, want a time")
		}
		all[0].get("/session").is(200)
		all[0].post("/sessions/end-others").leadsTo("/sessions")
		for _, b := range all[1:] {
			b.get("/session").is(401)
		}
		all[0].get("/session").is(200)
	})
}

// field 59: the end of all other sessions leaves this one, also when its ID has
// changed since, and later ends reach it.
func TestOtherSessionsEndByOneWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, shared)
		other := s.replica()
		all := crowd(4, s, other)
		all[0].post("/sessions/end-others").leadsTo("/sessions")
		synctest.Wait()
		for i, b := range all[1:] {
			if a := b.get("/session"); a.status != 401 {
				t.Errorf("session %d: GET /session = %d, want 401", i+1, a.status)
			}
		}
		all[0].get("/session").is(200)
		all[0].at(other).get("/session").is(200)
		later := other.browser()
		later.signIn("trader", "spa").leadsTo("/account")
		later.post("/sessions/end-others").leadsTo("/sessions")
		synctest.Wait()
		all[0].get("/session").is(401)
		later.get("/session").is(200)
	})
}

// field 61: fifty sessions end in parallel, and their hundred streams within a
// second of the answer.
func TestManySessionsEndInParallel(t *testing.T) {
	const takes = 500 * time.Millisecond // of each call of the store
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, shared, quietly)
		s.config.Store = &outage{Store: s.config.Store, takes: takes}
		other := s.replica()
		s.open()
		all := crowd(50, s, other)
		for range 2 {
			for _, b := range all { // streams open late: their session must not time out
				b.get("/account").is(200)
			}
		}
		var over []<-chan time.Time
		for _, b := range all {
			over = append(over, b.stream(prices), b.stream(prices))
		}
		pass(5 * time.Second)
		began := time.Now()
		s.sendLogout(s.identity.SignLogoutToken(s.order("", traderID))).is(200)
		acknowledged := time.Now()
		if took := acknowledged.Sub(began); took > 20*takes {
			t.Errorf("the logout took %v, want at most 20 round trips of %v", took, takes)
		}
		var wait sync.WaitGroup
		for i, stream := range over {
			wait.Go(func() {
				if late := (<-stream).Sub(acknowledged); late > time.Second {
					t.Errorf("stream %d ended %v after the answer, want at most a second", i, late)
				}
			})
		}
		wait.Wait()
		pass(time.Minute)
		if n := strings.Count(s.log.String(), `"tokens revoked"`); n != len(all) {
			t.Errorf("the tokens of %d sessions are revoked, want %d", n, len(all))
		}
	})
}

// field 63: thousands of sessions time out together. All are revoked without a
// renewal, in bounded batches, although the requests take longer together than
// the minute that each has.
func TestThousandsTimeOut(t *testing.T) {
	const n = 3000
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, shared)
		server := &crowded{base: s.seen.base}
		s.seen.base = server
		if err := s.web.BeginSessions(t.Context(), n); err != nil {
			t.Fatal(err)
		}
		for _, e := range []identitytest.Endpoint{identitytest.EndpointToken, identitytest.EndpointRevocation} {
			s.identity.Inject(e, identitytest.Fault{DelayBefore: 400 * time.Millisecond, Times: -1})
		}
		pass(30 * time.Minute)
		revoked, renewals := strings.Count(s.log.String(), `"tokens revoked"`), s.identity.Grants("refresh_token")
		if revoked != n || renewals != 0 {
			t.Errorf("the tokens of %d sessions are revoked and %d renewed, want %d and none", revoked, renewals, n)
		}
		if server.most > 16 {
			t.Errorf("%d revocations at once, want at most 16", server.most)
		}
	})
}

// crowded counts the requests that are under way.
type crowded struct {
	base      http.RoundTripper
	mu        sync.Mutex
	now, most int
}

// RoundTrip implements http.RoundTripper.
func (c *crowded) RoundTrip(r *http.Request) (*http.Response, error) {
	count := func(n int) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.now += n
		c.most = max(c.most, c.now)
	}
	count(1)
	defer count(-1)
	return c.base.RoundTrip(r)
}

// field 63: the tokens of sessions that time out together are revoked without a
// renewal, each in a time of its own, however slow the server is.
func TestManySessionsTimeOut(t *testing.T) {
	const n = 60
	for name, c := range map[string]struct {
		slow         identitytest.Endpoint
		unsupported  bool
		revocations  int
		renewals     int
		everyRequest time.Duration
	}{
		"revoked":                  {slow: identitytest.EndpointRevocation, revocations: n, everyRequest: 20 * time.Second},
		"renewed, then signed out": {slow: identitytest.EndpointSignOut, unsupported: true, renewals: n, everyRequest: 20 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, shared, func(c *web.Config) { c.AttemptsPerAddress = 2 * n })
				if c.unsupported {
					s.identity.Inject(identitytest.EndpointDiscovery, identitytest.Fault{
						Times: -1, Answer: func(fields map[string]any) { delete(fields, "revocation_endpoint") },
					})
				}
				crowd(n, s)
				s.identity.Inject(c.slow, identitytest.Fault{DelayBefore: c.everyRequest, Times: -1})
				pass(30 * time.Minute)
				if got := s.identity.Grants("refresh_token"); got != c.renewals {
					t.Errorf("renewals = %d, want %d", got, c.renewals)
				}
				if got := s.identity.Count(identitytest.EndpointRevocation); got != c.revocations {
					t.Errorf("revocations = %d, want %d", got, c.revocations)
				}
				if got := strings.Count(s.log.String(), `"tokens revoked"`); got != n {
					t.Errorf("the tokens of %d sessions are revoked, want %d", got, n)
				}
				if strings.Contains(s.log.String(), "remote sign-out failed") {
					t.Error("a sign-out failed")
				}
			})
		})
	}
}
