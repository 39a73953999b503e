package web_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/web"
)

// req 74, 76: a session that is only polled becomes idle.
func TestIdleTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := s.browser()
		b.signIn("trader", "spa").leadsTo("/account")
		for range 4 {
			b.get("/account").is(200)
			pass(14 * time.Minute) // used often enough
		}
		b.get("/account").is(200)
		for range 14 {
			pass(time.Minute)
			b.get("/account/token").is(200)
			b.get("/session").is(200)
		}
		pass(time.Minute)
		b.get("/session").is(401)
		b.get("/account").leadsTo("/sign-in?done=ended")
		pass(2 * time.Minute)
		if n := s.identity.Count(identitytest.EndpointRevocation); n != 1 {
			t.Errorf("%d revocations of the session that timed out, want 1", n)
		}
	})
}

// req 75: the second session, too, lasts ten hours, and a replica that starts
// then knows it: the record of all of the user's sessions is older.
func TestAbsoluteTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, shared)
		b := s.browser()
		for range 2 {
			b.signIn("trader", "spa").leadsTo("/account")
			for range 59 {
				b.get("/account").is(200)
				pass(10 * time.Minute)
			}
			b.get("/account").is(200)
			pass(10*time.Minute - time.Second)
			b.at(s.replica()).get("/account").is(200)
			pass(time.Second)
			b.get("/account").leadsTo("/sign-in?done=ended")
			pass(90 * time.Minute)
		}
	})
}

// req 77, 94, 111
func TestSignOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := s.browser()
		b.signIn("trader", "spa").leadsTo("/account")
		cookie := b.session()
		pass(time.Minute) // the access token has expired; the sign-out wants a live one
		a := b.post("/sign-out").leadsTo("/sign-in?done=signed-out")
		if got := a.header.Get("Clear-Site-Data"); got != `"cache", "storage"` {
			t.Errorf("Clear-Site-Data: %s", got)
		}
		if b.session() != "" {
			t.Error("the browser keeps the cookie")
		}
		b.get("/sign-in?done=signed-out").is(200, "You are signed out.")
		b.setSession(cookie)
		b.get("/account").leadsTo("/sign-in?done=ended")
		b.get("/session").is(401)
		requests := s.identity.Requests(identitytest.EndpointSignOut)
		if len(requests) != 1 || requests[0].Status != 200 || !strings.Contains(string(requests[0].Body), "refresh_token") {
			t.Errorf("remote sign-outs: %d", len(requests))
		}
		b.post("/sign-out").leadsTo("/sign-in?done=signed-out") // again, without a session
	})
}

// A session without a refresh token must not sign out the user's other devices.
//
// field 24
func TestSignOutWithoutRefreshToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.identity.Inject(identitytest.EndpointToken, identitytest.Fault{Answer: func(f map[string]any) { delete(f, "refresh_token") }})
		b := s.browser()
		b.signIn("trader", "spa").leadsTo("/account")
		b.post("/sign-out").leadsTo("/sign-in?done=signed-out")
		if got := s.identity.Count(identitytest.EndpointSignOut); got != 0 {
			t.Errorf("remote sign-outs = %d, want 0: without a refresh token the server revokes all", got)
		}
	})
}

// req 111: the local sign-out does not wait for a server that does not answer.
func TestSignOutWithoutServer(t *testing.T) {
	slow := identitytest.Fault{DelayBefore: time.Hour, Times: -1}
	for name, c := range map[string]struct {
		fault, renewal identitytest.Fault
		within         time.Duration
	}{
		"down":                 {identitytest.Fault{LoseRequest: true, Times: -1}, identitytest.Fault{LoseRequest: true, Times: -1}, 0},
		"slow":                 {slow, slow, 5 * time.Second},
		"only sign-out slow":   {slow, identitytest.Fault{}, 5 * time.Second},
		"refuses the sign-out": {identitytest.Fault{Status: 401, Times: -1}, identitytest.Fault{}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t)
				b := s.browser()
				b.signIn("trader", "spa").leadsTo("/account")
				pass(time.Minute)
				s.identity.Inject(identitytest.EndpointSignOut, c.fault)
				s.identity.Inject(identitytest.EndpointToken, c.renewal)
				started := time.Now()
				b.post("/sign-out").leadsTo("/sign-in?done=signed-out")
				if took := time.Since(started); took > c.within {
					t.Errorf("it took %v", took)
				}
				b.get("/account").leadsTo("/sign-in")
				pass(time.Minute)
				if !strings.Contains(s.log.String(), "remote sign-out failed") {
					t.Error("the failure is not logged")
				}
				s.identity.ClearFaults()
			})
		})
	}
}

// req 82
func TestSignOutEverywhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		here, there, other := s.browser(), s.browser(), s.browser()
		here.signIn("admin", "spa").leadsTo("/account")
		there.signIn("admin", "spa_admin").leadsTo("/account")
		other.signIn("trader", "spa").leadsTo("/account")
		here.post("/sign-out/everywhere").leadsTo("/sign-in?done=signed-out-everywhere")
		here.get("/account").leadsTo("/sign-in")
		there.get("/account").leadsTo("/sign-in?done=ended")
		there.get("/session").is(401)
		other.get("/account").is(200)
		requests := s.identity.Requests(identitytest.EndpointSignOut)
		if len(requests) != 2 {
			t.Errorf("%d remote sign-outs, want one for each client", len(requests))
		}
		for _, r := range requests {
			if r.Status != 200 || strings.Contains(string(r.Body), "refresh_token") {
				t.Errorf("a remote sign-out of one token, or refused: %d", r.Status)
			}
		}
	})
}

// req 78: a call to an API that began before the sign-out and ends after it.
func TestSlowRequestThroughSignOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := &gate{reached: make(chan struct{}), open: make(chan struct{})}
		s := newSite(t, func(c *web.Config) { gate.base, c.APITransport = c.APITransport, gate })
		b := s.browser()
		b.signIn("trader", "spa").leadsTo("/account")
		cookie := b.session()
		done := make(chan *answer)
		slow := s.browser()
		slow.setSession(cookie)
		go func() { done <- slow.post("/try") }()
		<-gate.reached
		b.post("/sign-out").leadsTo("/sign-in?done=signed-out")
		close(gate.open)
		(<-done).is(401, "session has ended")
		for _, path := range []string{"/account", "/flow"} {
			slow.setSession(cookie)
			if a := slow.get(path); a.status != http.StatusSeeOther {
				t.Errorf("the old cookie opens %s: %d", path, a.status)
			}
		}
	})
}

// gate holds requests until it is opened.
type gate struct {
	base          http.RoundTripper
	reached, open chan struct{}
}

// RoundTrip implements http.RoundTripper.
func (g *gate) RoundTrip(r *http.Request) (*http.Response, error) {
	close(g.reached)
	<-g.open
	return g.base.RoundTrip(r)
}

func TestSessionJSON(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := s.browser()
		a := b.get("/session").is(401) // req 102
		var refusal struct {
			Error     string `json:"error"`
			RequestID string `json:"request_id"`
		}
		if err := json.Unmarshal([]byte(a.body), &refusal); err != nil || refusal.Error != "no_session" || refusal.RequestID == "" {
			t.Errorf("%s (%v)", a.body, err)
		}
		b.header.Set("X-Requested-With", "fetch")
		b.get("/account").is(401)
		b.get("/account/token").is(401)
		b.header.Del("X-Requested-With")
		started := time.Now()
		b.signIn("admin", "spa_admin").leadsTo("/account")
		a = b.get("/session").is(200)
		var session struct {
			Email         string    `json:"email"`
			Client        string    `json:"client"`
			Administrator bool      `json:"administrator"`
			IdleEnd       time.Time `json:"idle_end"`
			LatestEnd     time.Time `json:"latest_end"`
		}
		if err := json.Unmarshal([]byte(a.body), &session); err != nil {
			t.Fatal(err)
		}
		if session.Email != "admin@example.com" || session.Client != "spa_admin" || !session.Administrator {
			t.Errorf("%+v", session)
		}
		if !session.IdleEnd.Equal(started.Add(15*time.Minute)) || !session.LatestEnd.Equal(started.Add(10*time.Hour)) {
			t.Errorf("ends %v and %v, began %v", session.IdleEnd, session.LatestEnd, started)
		}
	})
}

// req 55, 80: a renewal that fails for now is 503, and the session lives.
func TestRenewalUnavailable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := s.browser()
		b.signIn("trader", "spa").leadsTo("/account")
		s.identity.Inject(identitytest.EndpointToken, identitytest.Fault{Status: 503, Times: -1})
		pass(31 * time.Second)
		for _, path := range []string{"/account", "/account/token"} {
			if a := b.get(path).is(503); a.header.Get("Retry-After") == "" {
				t.Errorf("%s without Retry-After", path)
			}
		}
		if a := b.post("/try").is(503, "still signed in"); a.header.Get("Retry-After") == "" {
			t.Error("/try without Retry-After")
		}
		b.get("/session").is(200)
		s.identity.ClearFaults()
		pass(time.Minute)
		b.get("/account").is(200)

		pass(31 * time.Second)
		s.identity.Inject(identitytest.EndpointToken, identitytest.Fault{DelayBefore: 20 * time.Second})
		started := time.Now()
		b.get("/account").is(503)
		if took := time.Since(started); took != 10*time.Second {
			t.Errorf("the page waited %v for the token, want 10 s", took)
		}
		pass(10 * time.Second) // the renewal went on without it
		b.get("/account").is(200)
	})
}

// req 56, 86: a refused renewal ends the session, once the IdentityServer's own session is refused too.
func TestRenewalRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := s.browser()
		b.signIn("trader", "spa").leadsTo("/account")
		s.lockOut("trader@example.com")
		pass(31 * time.Second)
		b.get("/flow").is(200) // nothing has noticed yet
		a := b.get("/account").is(401, "Your session has ended")
		if b.session() != "" || !strings.Contains(a.header.Get("Set-Cookie"), "Max-Age=0") {
			t.Error("the cookie is kept")
		}
		b.get("/account").leadsTo("/sign-in")

		b.signIn("trader", "spa").leadsTo("/account")
		s.lockOut("trader@example.com")
		pass(25 * time.Second)
		b.get("/account") // a renewal begins behind it, and is refused, before or after the page was made
		synctest.Wait()
		b.get("/session").is(401) // no request needed the token, and still the session has ended
	})
}

// lockOut has the IdentityServer refuse whatever sessions the user has.
func (s *site) lockOut(email string) {
	s.identity.RevokeTokens(email)
	s.identity.EndSessions(email)
}

// A lost refresh token ends no session while the IdentityServer's own is kept.
func TestLostRefreshToken(t *testing.T) {
	for name, c := range map[string]struct {
		forget bool
		status int
	}{"kept": {false, 200}, "forgotten": {true, 401}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, func(config *web.Config) { config.ForgetIdentitySession = c.forget })
				b := s.browser()
				b.signIn("trader", "spa").leadsTo("/account")
				s.identity.RevokeTokens("trader@example.com")
				pass(31 * time.Second)
				b.get("/account").is(c.status)
			})
		})
	}
}

// The session at the IdentityServer ends with ours.
func TestSignOutEndsIdentitySession(t *testing.T) {
	for name, c := range map[string]struct {
		forget bool
		cookie bool
	}{"kept": {false, true}, "forgotten": {true, false}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, func(config *web.Config) { config.ForgetIdentitySession = c.forget })
				b := s.browser()
				b.signIn("trader", "spa").leadsTo("/account")
				b.post("/sign-out").leadsTo("/sign-in?done=signed-out")
				requests := s.identity.Requests(identitytest.EndpointSignOut)
				if len(requests) != 1 || requests[0].Header.Get("Cookie") != "" != c.cookie {
					t.Errorf("%d sign-outs, or not with the session's cookie as it should be", len(requests))
				}
			})
		})
	}
}

// A link on another site does not bring the Strict cookie along; the page
// loads itself once more, and then it does. req 68
func TestLinkFromElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := s.browser()
		b.header.Set("Sec-Fetch-Site", "cross-site")
		b.header.Set("Sec-Fetch-Mode", "navigate")
		for path, want := range map[string]string{"/flow?a=b": "0; url=/flow?a=b", "/": "0; url=/"} {
			a := b.get(path).is(200, "Continue")
			if got := a.header.Get("Refresh"); got != want {
				t.Errorf("Refresh of %s: %q", path, got)
			}
		}
	})
}

// req 130: what a handler did before it panicked is not saved.
func TestPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var cause any = "a panic with a secret inside"
		defer pass(time.Minute) // the HTTP client's timer outlives the panic
		s := newSite(t, func(c *web.Config) {
			c.APITransport = transportFunc(func(*http.Request) (*http.Response, error) { panic(cause) })
		})
		b := s.browser()
		b.signIn("trader", "spa").leadsTo("/account")
		b.post("/try").is(500, "Something went wrong here")
		if log := s.log.String(); !strings.Contains(log, `"msg":"panic"`) || strings.Contains(log, "secret inside") {
			t.Error("the log lacks the panic, or tells its value")
		}
		b.get("/account").is(200)
		cause = http.ErrAbortHandler
		defer func() {
			if p := recover(); p == nil || !errors.Is(p.(error), http.ErrAbortHandler) {
				t.Errorf("http.ErrAbortHandler was swallowed: %v", p)
			}
			b.get("/account").is(200)
		}()
		b.post("/try")
	})
}

type transportFunc func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f transportFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// The sign-out wants a live token. If that takes, the browser does not wait for all of it, and it is done all the same. req 111
func TestSlowSignOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := s.browser()
		b.signIn("trader", "spa").leadsTo("/account")
		pass(time.Minute)
		s.identity.Inject(identitytest.EndpointToken, identitytest.Fault{DelayAfter: 8 * time.Second})
		started := time.Now()
		b.post("/sign-out").leadsTo("/sign-in?done=signed-out")
		if took := time.Since(started); took != 5*time.Second {
			t.Errorf("it took %v", took)
		}
		pass(4 * time.Second)
		requests := s.identity.Requests(identitytest.EndpointSignOut)
		if len(requests) != 1 || requests[0].Status != 200 {
			t.Errorf("%d remote sign-outs, want one, with the new token", len(requests))
		}
	})
}

// A token that arrives after the sign-out is revoked, not kept. req 78
func TestSignOutDuringRenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := s.browser()
		b.signIn("trader", "spa").leadsTo("/account")
		pass(time.Minute)
		s.identity.Inject(identitytest.EndpointToken, identitytest.Fault{DelayAfter: 8 * time.Second})
		late := s.browser()
		late.setSession(b.session())
		done := make(chan *answer)
		go func() { done <- late.get("/account/token") }()
		pass(time.Second)
		b.post("/sign-out").leadsTo("/sign-in?done=signed-out")
		(<-done).is(401) // at once: its session is over
		pass(8 * time.Second)
		requests := s.identity.Requests(identitytest.EndpointSignOut)
		if len(requests) != 1 || requests[0].Status != 200 {
			t.Errorf("%d remote sign-outs, want that of the late token", len(requests))
		}
	})
}
