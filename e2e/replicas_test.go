package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/vault"
)

// req 47, 48, 49: forty calls over two processes meet one expired token. However
// long the token endpoint takes, also longer than a lease, they cause one refresh and all are answered.
func TestReplicasRefreshOnce(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, start func(testing.TB) *database) {
		db := start(t)
		for name, delay := range map[string]time.Duration{"at once": 0, "after 3 s": 3 * time.Second, "after 12 s": 12 * time.Second} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				f := newFleet(t, db.part())
				b := f.expired()
				f.provider.Inject(identitytest.EndpointToken, identitytest.Fault{Grant: "refresh_token", DelayAfter: delay})
				for _, p := range f.calls(b, 40) {
					if p.status != http.StatusOK || !strings.Contains(p.body, trader) {
						t.Errorf("a call gives %d %s", p.status, p.body)
					}
				}
				f.wantGrants("refresh_token", 1)
				f.wantRenewals("renewed", 1)
				f.wantRenewals("failed", 0)
				f.wantAlive(b)
				f.wantGrants("refresh_token", 1)
			})
		}
	})
}

// req 50: a browser that goes away during the refresh hurts nobody. The step: the same flight goes on and stores what comes.
func TestReplicasBrowserGoesAway(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, start func(testing.TB) *database) {
		f := newFleet(t, start(t).part())
		b := f.expired()
		refresh := f.provider.holdToken()
		gone := make(chan error, 1)
		leave := b.leaving(b.fetching(apiCall), gone)
		receive(t, refresh.arrived, "the refresh")
		leave()
		if err := receive(t, gone, "the browser's error"); err == nil {
			t.Error("the browser did not go away")
		}
		refresh.release()
		f.wantRenewals("renewed", 1)
		f.wantAlive(b)
		f.wantGrants("refresh_token", 1)
		f.wantGrants("authorization_code", 1)
	})
}

// A process is killed after the token endpoint has answered, and before it has
// stored the answer: the refresh token is spent, and its successor lost. The
// step: another process takes the lease over, is refused, waits for the time of
// a lease whether the first one was only paused, and resumes by the session at the IdentityServer.
func TestReplicaKilledAfterTheAnswer(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, start func(testing.TB) *database) {
		f := newFleet(t, start(t).part())
		b := f.expired()
		answer := f.provider.holdTokenAnswer()
		gone := make(chan error, 1)
		b.leaving(b.fetching(apiCall), gone)
		receive(t, answer.arrived, "the token endpoint's answer")
		f.demos[0].kill()
		if err := receive(t, gone, "the end of the call"); err == nil {
			t.Error("the process that was killed answered")
		}
		f.provider.heldAnswer.Store(nil)
		f.untilServed(b, f.demos[1])
		f.wantRenewals("resumed", 1)
		f.wantRenewals("renewed", 0)
		f.wantGrants("refresh_token", 2)      // the lost one, and the one that found that out
		f.wantGrants("authorization_code", 2) // the sign-in's, and the resumption's
		f.restart(0)
		f.wantAlive(b)
		f.wantGrants("refresh_token", 2)
	})
}

// req 51, 80: the store is restarted: nobody is signed out, and nothing needs a restart. Twice, for a token that expires while the
// store is away, and for one whose successor has come but cannot be stored yet. The step: the one renewal, which waits.
func TestStoreIsRestarted(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, start func(testing.TB) *database) {
		db := start(t)
		f := newFleet(t, db.part())
		b := f.expired()
		db.stop()
		for _, d := range f.demos {
			wantUnavailable(t, b.at(d).fetch(apiCall))
			wantUnavailable(t, b.at(d).fetch("/session"))
		}
		f.wantGrants("refresh_token", 0)
		db.start()
		f.provider.shorten("refresh_token", identitytest.Fault{})
		for _, d := range f.demos {
			f.untilServed(b, d)
		}
		f.wantGrants("refresh_token", 1)
		f.wantRenewals("renewed", 1)

		b.wait(shortLife)
		answer := f.provider.holdTokenAnswer()
		gone := make(chan error, 1)
		b.leaving(b.fetching(apiCall), gone)
		receive(t, answer.arrived, "the token endpoint's answer")
		db.stop()
		answer.release()
		until(t, "the alarm", func() bool { return strings.Contains(f.demos[0].log.String(), "cannot be stored") })
		db.start()
		for _, d := range f.demos {
			f.untilServed(b, d)
		}
		f.wantAlive(b)
		f.wantGrants("refresh_token", 2)
		f.wantGrants("authorization_code", 1)
		f.wantRenewals("renewed", 2)
	})
}

// req 55: the IdentityServer is out of order for a while. The step: the session waits, and a later renewal works.
func TestReplicasOutlastAnOutage(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, start func(testing.TB) *database) {
		f := newFleet(t, start(t).part())
		b := f.expired()
		f.provider.Inject(identitytest.EndpointToken, identitytest.Fault{Status: http.StatusInternalServerError, Times: -1})
		for _, p := range f.calls(b, 10) {
			wantUnavailable(t, p)
		}
		refused := f.provider.Grants("refresh_token")
		if refused > 2 {
			t.Errorf("ten calls at two processes asked %d times", refused)
		}
		if p := b.fetch("/session"); p.status != http.StatusOK {
			t.Errorf("/session gives %d", p.status)
		}
		f.provider.ClearFaults()
		for _, d := range f.demos {
			f.untilServed(b, d)
		}
		f.wantAlive(b)
		f.wantRenewals("renewed", 1)
		f.wantRenewals("resumed", 0)
		f.wantGrants("refresh_token", refused+1)
	})
}

// req 77, 78, 103: after a sign-out at one process, with slow calls, event
// streams and websockets open at both, the streams end within a second and the cookie opens nothing, anywhere, whatever was under way.
func TestReplicasSignOut(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, start func(testing.TB) *database) {
		f := newFleet(t, start(t).part())
		b := f.browser()
		account := b.signIn(trader, "spa").want(http.StatusOK, "/account")
		old := b.holding()
		slow := newHold(&f.provider.slow)
		late := make(chan error, len(f.demos))
		var streams []<-chan time.Time
		for _, d := range f.demos {
			at := old.at(d)
			at.leaving(at.fetching(slowCall), late)
			receive(t, slow.arrived, "the slow call")
			streams = append(streams, at.listen(t), at.dial(t))
		}
		account.submit("/sign-out", "Sign out").want(http.StatusOK, "/sign-in")
		answered := time.Now()
		for i, ended := range streams {
			if late := receive(t, ended, "the end of a stream").Sub(answered); late > time.Second {
				t.Errorf("stream %d ends %v after the sign-out", i, late)
			}
		}
		f.wantNothingOpens(old)
		slow.release()
		for range f.demos {
			if err := receive(t, late, "the slow call's answer"); err != nil {
				t.Error(err)
			}
		}
		f.wantNothingOpens(old)
		f.wantCount(identitytest.EndpointSignOut, 1)
	})
}

// wantNothingOpens fails if the browser's cookie is good for anything at any process.
func (f *fleet) wantNothingOpens(old *browser) {
	f.t.Helper()
	for n, d := range f.demos {
		at := old.at(d)
		if at.cookie() == "" {
			f.t.Fatal("the browser has no cookie to try")
		}
		for _, path := range []string{apiCall, slowCall, eventsCall, "/session", "/account/token"} {
			if p := at.fetch(path); p.status != http.StatusUnauthorized {
				f.t.Errorf("process %d: %s gives %d", n, path, p.status)
			}
		}
		at.open("/account").want(http.StatusOK, "/sign-in")
		at.open("/sessions").want(http.StatusOK, "/sign-in")
		if c, err := at.socket(f.t).DialContext(f.t.Context()); err == nil {
			_ = c.Close()
			f.t.Errorf("process %d opens a websocket", n)
		}
	}
}

// req 81, 82: a session of one process is a session of all, on their pages too.
func TestReplicasShareSessions(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, start func(testing.TB) *database) {
		f := newFleet(t, start(t).part())
		phone, desk, third := f.browser(), f.browser().at(f.demos[1]), f.browser()
		phone.signIn(trader, "spa").want(http.StatusOK, "/account", "Tracy Trader")
		desk.signIn(trader, "spa").want(http.StatusOK, "/account", "Tracy Trader")
		third.signIn(trader, "spa").want(http.StatusOK, "/account", "Tracy Trader")
		for _, d := range f.demos {
			p := phone.at(d).open("/sessions").want(http.StatusOK, "/sessions", "This one")
			if n := p.doc().Find("li.session").Length(); n != 3 {
				t.Errorf("the page lists %d sessions, want 3", n)
			}
		}
		phone.at(f.demos[1]).open("/sessions").submit("/sessions/end-others", "End all others").want(http.StatusOK, "/sessions", "ended")
		f.wantAlive(phone)
		f.wantNothingOpens(desk)
		f.wantNothingOpens(third)

		desk.signIn(trader, "spa").want(http.StatusOK, "/account")
		desk.at(f.demos[0]).open("/sessions").submit("/sign-out/everywhere", "Sign out everywhere").want(http.StatusOK, "/sign-in")
		f.wantNothingOpens(phone)
	})
}

// req 81: all processes are restarted, with another key for what is stored: nobody is signed out, at any step. While one
// restarts the other serves.
func TestReplicasRestartWithAnotherKey(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, start func(testing.TB) *database) {
		f := newFleet(t, start(t).part())
		b := f.browser()
		b.signIn(trader, "spa").want(http.StatusOK, "/account")
		first, second := vault.NewKey("first"), vault.NewKey("second")
		f.setKeys(first)
		for n := range f.demos { // what was sealed by the key before is gone with it: that is what the test must not confuse
			f.restart(n)
		}
		b.open("/account").want(http.StatusOK, "/sign-in")
		b.signIn(trader, "spa").want(http.StatusOK, "/account")
		for _, keys := range [][]vault.Key{{first}, {first, second}, {second, first}} {
			f.setKeys(keys...)
			for n := range f.demos {
				f.demos[n].stop()
				if p := b.at(f.demos[1-n]).fetch(apiCall); p.status != http.StatusOK {
					t.Errorf("while process %d is away, the other answers %d", n, p.status)
				}
				f.restart(n)
				f.wantAlive(b)
				fresh := f.browser().at(f.demos[n])
				fresh.signIn(admin, "spa").want(http.StatusOK, "/account")
				f.wantSigned(fresh)
			}
		}
		f.wantGrants("refresh_token", 0)
	})
}

// wantSigned fails unless every process knows the browser's session.
func (f *fleet) wantSigned(b *browser) {
	f.t.Helper()
	for n, d := range f.demos {
		if p := b.at(d).fetch("/session"); p.status != http.StatusOK {
			f.t.Errorf("process %d gives %d %s", n, p.status, p.body)
		}
	}
}
