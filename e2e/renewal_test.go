package e2e

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"b2trader.identity.auth/identity/identitytest"
)

// life is how long the IdentityServer's access tokens last.
const life = 30 * time.Second

// req 47: forty requests over one expired token cause one refresh.
func TestParallelRequestsRefreshOnce(t *testing.T) {
	t.Parallel()
	eachClient(t, func(t *testing.T, email, client string) {
		w := newWorld(t, setup{})
		b := w.browser()
		b.signIn(email, client).want(http.StatusOK, "/account")
		w.clock.advance(life)
		refresh := w.provider.holdToken()
		for len(w.arrived) > 0 {
			<-w.arrived // of the sign-in
		}
		var all sync.WaitGroup
		problems := make(chan error, 40)
		for i := range 40 {
			all.Go(func() {
				p, err := b.try(b.fetching("/account/token"))
				if i%2 == 0 {
					p, err = b.try(b.fetching("/account"))
				}
				if err == nil && p.status != http.StatusOK {
					err = fmt.Errorf("status %d", p.status)
				}
				problems <- err
			})
		}
		for range 40 {
			receive(t, w.arrived, "forty requests")
		}
		receive(t, refresh.arrived, "the refresh")
		refresh.release()
		all.Wait()
		close(problems)
		for err := range problems {
			if err != nil {
				t.Error(err)
			}
		}
		w.wantGrants("refresh_token", 1)
	})
}

// req 58: past two thirds of the life the answer does not wait for the renewal.
func TestEarlyRenewalMakesNobodyWait(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	b := w.browser()
	b.signIn(trader, "spa").want(http.StatusOK, "/account")
	w.clock.advance(life/3*2 - 2*time.Second)
	b.open("/account")
	w.wantGrants("refresh_token", 0) // not yet
	w.clock.advance(3 * time.Second)
	refresh := w.provider.holdToken()
	b.open("/account").want(http.StatusOK, "/account", "Renewed not yet") // while the renewal hangs
	receive(t, refresh.arrived, "the early renewal")
	b.open("/account").want(http.StatusOK, "/account")
	refresh.release()
	w.clock.advance(life / 3) // the first token is over: only its successor answers
	b.open("/account").want(http.StatusOK, "/account", "Renewed once")
	w.wantGrants("refresh_token", 1)
}

// The account page counts the renewals, and so does the fragment that scripts fetch.
func TestRenewalsGrow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	b := w.browser()
	b.signIn(trader, "spa").want(http.StatusOK, "/account", "Renewed not yet")
	for n, times := range []string{"once", "2 times", "3 times"} {
		w.clock.advance(life)
		p := b.fetch("/account/token")
		if got := p.text("[data-token-card] .facts"); p.status != http.StatusOK || !strings.Contains(got, "Renewed "+times) {
			t.Errorf("after %d renewals the card says %q", n+1, got)
		}
		b.open("/account").want(http.StatusOK, "/account", "Renewed "+times)
		w.wantGrants("refresh_token", n+1)
	}
}

// req 50: a browser that goes away while its token is renewed hurts nobody.
func TestBrowserGoesAwayDuringRenewal(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	b := w.browser()
	b.signIn(trader, "spa").want(http.StatusOK, "/account")
	w.clock.advance(life)
	refresh := w.provider.holdToken()
	gone := make(chan error, 1)
	leave := b.leaving(b.fetching("/account/token"), gone)
	receive(t, refresh.arrived, "the refresh")
	leave()
	if err := receive(t, gone, "the browser's error"); err == nil {
		t.Error("the browser did not go away")
	}
	refresh.release()
	b.open("/account").want(http.StatusOK, "/account", "Renewed once")
	w.wantGrants("refresh_token", 1)
}

// req 55: while the server is out, the session lives: 503 with Retry-After, and
// without a restart all is well again.
func TestSessionSurvivesAnOutage(t *testing.T) {
	t.Parallel()
	for name, outage := range map[string]identitytest.Fault{
		"500":        {Times: -1, Status: 500},
		"429":        {Times: -1, Status: 429, RetryAfter: "3"},
		"cut before": {Times: -1, LoseRequest: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, setup{})
			b := w.browser()
			b.signIn(admin, "spa_admin").want(http.StatusOK, "/account")
			w.provider.Inject(identitytest.EndpointToken, outage)
			w.clock.advance(life)
			p := b.open("/account").want(http.StatusServiceUnavailable, "/account", "could not be renewed just now", "Ada Admin")
			wantRetryAfter(t, p)
			card := b.fetch("/account/token")
			if card.status != http.StatusServiceUnavailable {
				t.Errorf("/account/token gives %d", card.status)
			}
			wantRetryAfter(t, card)
			try := b.open("/try").submit("/try", "account").want(http.StatusServiceUnavailable, "/try", "You are still signed in")
			wantRetryAfter(t, try)
			if got := b.fetch("/session"); got.status != http.StatusOK {
				t.Errorf("/session gives %d", got.status)
			}
			w.provider.ClearFaults()
			w.clock.advance(time.Minute)
			try.follow("Try again").want(http.StatusOK, "/try")
			b.open("/account").want(http.StatusOK, "/account", "Renewed once")
		})
	}
}

// The server dies and comes back at the same address; the old token serves while it lives.
func TestSessionSurvivesADeadServer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	b := w.browser()
	b.signIn(trader, "spa").want(http.StatusOK, "/account")
	w.provider.down.Store(true)
	w.clock.advance(life - 5*time.Second)
	b.open("/account").want(http.StatusOK, "/account") // in its last third, but alive
	w.clock.advance(time.Minute)
	b.open("/account").want(http.StatusServiceUnavailable, "/account", "could not be renewed")
	w.provider.down.Store(false)
	w.clock.advance(time.Minute)
	b.open("/account").want(http.StatusOK, "/account", "Renewed once")
}

// req 56: a refresh token that is refused costs nothing while the IdentityServer's session lives: it gives new tokens.
func TestRefusedRefreshIsResumed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	b := w.browser()
	b.signIn(trader, "spa").want(http.StatusOK, "/account")
	w.provider.RevokeTokens(trader)
	w.clock.advance(life)
	b.open("/account").want(http.StatusOK, "/account", "Tracy Trader", "Renewed once")
	w.wantGrants("refresh_token", 1)
	w.wantGrants("authorization_code", 2)
	w.wantResult("resumed")
}

// req 56, 62: where the IdentityServer's session has ended too, the session ends, once, and the way leads back.
func TestRefusedRefreshEndsTheSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	b := w.browser()
	b.signIn(trader, "spa").want(http.StatusOK, "/account")
	w.provider.RevokeTokens(trader)
	w.provider.EndSessions(trader)
	w.clock.advance(life)
	p := b.open("/try").submit("/try", "account").want(http.StatusUnauthorized, "/try", "Your session has ended")
	w.wantGrants("refresh_token", 1)
	for range 3 {
		b.open("/account").want(http.StatusOK, "/sign-in")
		b.fetch("/account/token")
	}
	w.wantGrants("refresh_token", 1)
	w.wantResult("refused")
	p.follow("Sign in again").signIn(trader, "spa").want(http.StatusOK, "/account")
}

// req 86: so does an account that was disabled meanwhile.
func TestDisabledAccountEndsTheSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	b := w.browser()
	b.signIn(trader, "spa").want(http.StatusOK, "/account")
	w.provider.DisableUser(trader)
	w.clock.advance(life)
	b.open("/account").want(http.StatusUnauthorized, "/account", "Your session has ended").
		follow("Sign in again").signIn(trader, "spa").want(http.StatusUnprocessableEntity, "/sign-in")
}

// req 57: a client whose secret was changed is an alarm, not a lost session.
func TestMisconfiguredClientKeepsTheSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	b := w.browser()
	b.signIn(admin, "spa_admin").want(http.StatusOK, "/account")
	w.provider.Inject(identitytest.EndpointToken, identitytest.Fault{Status: 400, Body: []byte(`{"error":"invalid_client"}`)})
	w.clock.advance(life)
	b.open("/account").want(http.StatusServiceUnavailable, "/account")
	if !strings.Contains(w.log.String(), "ERROR") {
		t.Error("no alarm in the log")
	}
	w.clock.advance(time.Minute)
	b.open("/account").want(http.StatusOK, "/account", "Renewed once")
}

// req 45: a renewal for another user is not believed. The refresh token is spent, so the IdentityServer's own session
// gives the tokens; it is the same user's.
func TestRenewalForAnotherUser(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	b := w.browser()
	b.signIn(trader, "spa").want(http.StatusOK, "/account")
	w.provider.Inject(identitytest.EndpointToken, identitytest.Fault{Grant: "refresh_token", IDToken: identitytest.OtherSubject})
	w.clock.advance(life)
	b.open("/account").want(http.StatusOK, "/account", "Tracy Trader", "Renewed once")
	w.wantGrants("refresh_token", 1)
	w.wantResult("resumed")
}

// req 45: without that session, or if that is another user's too, the session ends.
func TestRenewalForAnotherUserEndsTheSession(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*provider){
		"no session there": func(p *provider) { p.EndSessions(trader) },
		"another's session": func(p *provider) {
			p.Inject(identitytest.EndpointToken, identitytest.Fault{Grant: "authorization_code", IDToken: identitytest.OtherSubject})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, setup{})
			b := w.browser()
			b.signIn(trader, "spa").want(http.StatusOK, "/account")
			w.provider.Inject(identitytest.EndpointToken, identitytest.Fault{Grant: "refresh_token", IDToken: identitytest.OtherSubject})
			spoil(w.provider)
			w.clock.advance(life)
			b.open("/account").want(http.StatusUnauthorized, "/account", "Your session has ended")
			w.wantGrants("refresh_token", 1)
			w.wantResult("refused")
			w.clock.advance(time.Minute)
			b.open("/account").want(http.StatusOK, "/sign-in")
			w.wantGrants("refresh_token", 1)
		})
	}
}

func wantRetryAfter(t *testing.T, p *page) {
	t.Helper()
	if seconds, err := strconv.Atoi(p.header.Get("Retry-After")); err != nil || seconds < 1 {
		t.Errorf("%s: Retry-After is %q", p.url.Path, p.header.Get("Retry-After"))
	}
}
