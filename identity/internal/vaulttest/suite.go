package vaulttest

import (
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/vault"
)

// A Platform is a token API's test server with refreshers of its client. Each
// refresher has an entry under its own name, whose first renewal signs in.
type Platform struct {
	Server        *apitest.Server
	SignIn, Renew apitest.Endpoint // Renew is empty if the API has no refresh tokens
	Refreshers    map[string]vault.Refresher
}

// A Suite checks the refresher "main" of a platform, and "wrong", which has a
// wrong password, if there is one.
type Suite struct {
	Open     func(t *testing.T) Platform // inside a bubble
	Life     time.Duration               // of an access token
	Renewals int                         // in a day
	Faults   map[string]Recovery
}

// A Recovery is a fault of a renewal, and how many requests of each kind the
// server has got after the next one.
type Recovery struct {
	Fault             apitest.Fault
	Harm              func(Platform) // instead of Fault
	SignIns, Renewals int
}

// Work runs f with a worker on the platform, in a bubble.
func Work(t *testing.T, open func(t *testing.T) Platform, f func(*Worker, Platform)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := open(t)
		w := New(t, p.Refreshers, func() (signIns, renewals int) { return p.Server.Count(p.SignIn), p.Server.Count(p.Renew) })
		for name := range p.Refreshers {
			w.Put(name, name, tokenapi.FirstToken())
		}
		f(w, p)
	})
}

// Run runs the suite.
func (s Suite) Run(t *testing.T) {
	t.Helper()
	t.Run("renews early", s.renewsEarly)
	t.Run("renews once", s.renewsOnce)
	t.Run("outage", s.outage)
	t.Run("wrong password", s.wrongPassword)
	for name, r := range s.Faults {
		t.Run("recovers/"+name, func(t *testing.T) { s.recovers(t, r) })
	}
}

// counts is Counts where a renewal may be a sign-in.
func (p Platform) counts(w *Worker, signIns, renewals int) {
	w.Helper()
	if p.Renew == "" {
		signIns, renewals = signIns+renewals, 0
	}
	w.Counts(signIns, renewals)
}

// For a day no caller waits, and the vault renews after two thirds of each life.
func (s Suite) renewsEarly(t *testing.T) {
	Work(t, s.Open, func(w *Worker, p Platform) {
		const day = 24 * time.Hour
		for began := time.Now(); time.Since(began) < day; <-time.After(s.Life / 30) {
			asked := time.Now()
			w.Works("main")
			if waited := time.Since(asked); waited != 0 {
				w.Fatalf("after %v a caller waited %v, want no wait", time.Since(began), waited)
			}
		}
		p.counts(w, 1, s.Renewals)
	})
}

// Concurrent callers cost one request (req 47).
func (s Suite) renewsOnce(t *testing.T) {
	Work(t, s.Open, func(w *Worker, p Platform) {
		for _, endpoint := range []apitest.Endpoint{p.SignIn, p.Renew} {
			if endpoint != "" {
				p.Server.Inject(endpoint, apitest.Fault{DelayAfter: 5 * time.Second})
			}
		}
		first := w.AllWork("main")
		p.counts(w, 1, 0)
		<-time.After(s.Life)
		if w.AllWork("main").AccessToken == first.AccessToken {
			w.Error("got the first token after its life, want another")
		}
		p.counts(w, 1, 1)
	})
}

// A fault of one renewal is invisible to callers.
func (s Suite) recovers(t *testing.T, r Recovery) {
	Work(t, s.Open, func(w *Worker, p Platform) {
		first := w.Works("main")
		endpoint := p.Renew
		if endpoint == "" {
			endpoint = p.SignIn
		}
		if r.Harm != nil {
			r.Harm(p)
		} else {
			p.Server.Inject(endpoint, r.Fault)
		}
		for began := time.Now(); time.Since(began) <= s.Life; <-time.After(s.Life / 120) {
			w.Works("main")
		}
		if w.Works("main").AccessToken == first.AccessToken {
			w.Error("got the first token, want another")
		}
		p.counts(w, r.SignIns, r.Renewals)
	})
}

// In an outage the old token serves until it expires, then callers get the
// cause and a delay. After the outage the vault renews by itself (req 55).
func (s Suite) outage(t *testing.T) {
	for name, fault := range map[string]apitest.Fault{
		"503":         {Status: http.StatusServiceUnavailable},
		"429":         {Status: http.StatusTooManyRequests, RetryAfter: "3"},
		"unreachable": {LoseRequest: true},
	} {
		Work(t, s.Open, func(w *Worker, p Platform) {
			w.Works("main")
			fault.Times = -1
			for _, endpoint := range []apitest.Endpoint{p.SignIn, p.Renew} {
				if endpoint != "" {
					p.Server.Inject(endpoint, fault)
				}
			}
			<-time.After(s.Life - 1)
			w.Works("main")
			<-time.After(1)
			before, _ := w.asked()
			for range 60 {
				if e := w.Waits("main"); !errors.Is(e, tokenapi.ErrUnavailable) || e.RetryAfter <= 0 {
					w.Fatalf("%s: got %v, want ErrUnavailable and a delay", name, e)
				}
				<-time.After(10 * time.Second)
			}
			if after, _ := w.asked(); after-before > 65 {
				w.Errorf("%s: got %d sign-ins in ten minutes, want at most 65", name, after-before)
			}
			p.Server.ClearFaults()
			<-time.After(21 * time.Second)
			w.Works("main")
		})
	}
}

// A wrong password is tried once in four minutes, so that the account is not
// locked.
func (s Suite) wrongPassword(t *testing.T) {
	Work(t, s.Open, func(w *Worker, p Platform) {
		if p.Refreshers["wrong"] == nil {
			return
		}
		for range 240 {
			if e := w.Waits("wrong"); !errors.Is(e, tokenapi.ErrBadCredentials) {
				w.Fatalf("got %v, want ErrBadCredentials", e)
			}
			<-time.After(time.Second)
		}
		p.counts(w, 1, 0)
	})
}

// RefreshTokenExpires checks that a Keeper sends no refresh token after its
// life, which it knows by refresh_expiry and its own clock.
func RefreshTokenExpires(t *testing.T, life time.Duration, open func(t *testing.T) Platform) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := open(t)
		token := tokenapi.FirstToken()
		for _, step := range []struct {
			wait              time.Duration
			signIns, renewals int
		}{{0, 1, 0}, {life - 1, 1, 1}, {life, 2, 1}} {
			<-time.After(step.wait)
			var err error
			if token, err = p.Refreshers["main"].Refresh(t.Context(), token); err != nil {
				t.Fatalf("after %v: got %v, want a token", step.wait, err)
			}
			if s, r := p.Server.Count(p.SignIn), p.Server.Count(p.Renew); s != step.signIns || r != step.renewals {
				t.Errorf("after %v: got %d sign-ins and %d refreshes, want %d and %d", step.wait, s, r, step.signIns, step.renewals)
			}
		}
	})
}
