package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"b2trader.identity.auth/identity/identitytest"
)

// req 77, 90, 93, 94, 111, 112: after the sign-out the back button shows nothing
// that was not stored, and the old cookie opens nothing.
func TestSignOutThenBack(t *testing.T) {
	t.Parallel()
	eachClient(t, func(t *testing.T, email, client string) {
		w := newWorld(t, setup{})
		b := w.browser()
		account := b.signIn(email, client).want(http.StatusOK, "/account")
		if account.header.Get("Cache-Control") != "no-store" { // what the back button would show otherwise
			t.Errorf("Cache-Control is %q", account.header.Get("Cache-Control"))
		}
		old := b.holding()
		out := b.send(account.filled("/sign-out", "Sign out"))
		if got := out.header.Get("Clear-Site-Data"); !strings.Contains(got, `"cache"`) {
			t.Errorf("Clear-Site-Data is %q", got)
		}
		if b.cookie() != "" {
			t.Error("the browser still has the cookie")
		}
		b.open(out.header.Get("Location")).want(http.StatusOK, "/sign-in", "You are signed out.")
		for _, tab := range []*browser{b, old} {
			for _, path := range []string{"/account", "/try", "/flow", "/machine"} {
				tab.open(path).want(http.StatusOK, "/sign-in")
			}
			for _, path := range []string{"/account/token", "/session"} {
				if p := tab.fetch(path); p.status != http.StatusUnauthorized {
					t.Errorf("%s gives %d", path, p.status)
				}
			}
		}
		old.navigate(account.filled("/sign-out", "Sign out")).want(http.StatusOK, "/sign-in") // again: the same
		w.wantCount(identitytest.EndpointSignOut, 1)
		if body := w.provider.Requests(identitytest.EndpointSignOut)[0].Body; !strings.Contains(string(body), "refresh_token") {
			t.Error("the sign-out names no refresh token, so it revoked all")
		}
	})
}

// req 112: a GET signs nobody out.
func TestSignOutNeedsAPost(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	b := w.browser()
	b.signIn(trader, "spa").want(http.StatusOK, "/account")
	for _, path := range []string{"/sign-out", "/sign-out/everywhere"} {
		p := b.open(path).want(http.StatusMethodNotAllowed, path)
		if got := p.header.Get("Allow"); got != "POST" {
			t.Errorf("%s: Allow is %q", path, got)
		}
	}
	b.open("/account").want(http.StatusOK, "/account")
}

// req 111: the IdentityServer may fail; the local sign-out stands.
func TestSignOutWithoutTheServer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	b := w.browser()
	account := b.signIn(trader, "spa").want(http.StatusOK, "/account")
	old := b.holding()
	w.provider.stop()
	account.submit("/sign-out", "Sign out").want(http.StatusOK, "/sign-in", "You are signed out.")
	old.open("/account").want(http.StatusOK, "/sign-in")
	if !strings.Contains(w.log.String(), "remote sign-out failed") {
		t.Error("the log does not say that the tokens were not revoked")
	}
}

// A sign-out over an expired token renews it first, because the IdentityServer wants a live one.
func TestSignOutWithAnExpiredToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	b := w.browser()
	account := b.signIn(trader, "spa").want(http.StatusOK, "/account")
	w.clock.advance(life)
	account.submit("/sign-out", "Sign out").want(http.StatusOK, "/sign-in")
	requests := w.provider.Requests(identitytest.EndpointSignOut)
	if len(requests) != 1 || requests[0].Status != http.StatusOK {
		t.Errorf("the IdentityServer saw %d sign-outs that it could do", len(requests))
	}
}

// req 82: everywhere means every browser, and nobody else's session.
func TestSignOutEverywhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	phone, desk, other := w.browser(), w.browser(), w.browser()
	phone.signIn(admin, "spa").want(http.StatusOK, "/account")
	account := desk.signIn(admin, "spa_admin").want(http.StatusOK, "/account")
	other.signIn(trader, "spa").want(http.StatusOK, "/account")
	w.clock.advance(life) // also with tokens that have expired
	account.submit("/sign-out/everywhere", "Sign out everywhere").
		want(http.StatusOK, "/sign-in", "You are signed out everywhere.")
	phone.open("/account").want(http.StatusOK, "/sign-in")
	desk.open("/account").want(http.StatusOK, "/sign-in")
	other.open("/account").want(http.StatusOK, "/account", "Tracy Trader")
	w.wantCount(identitytest.EndpointSignOut, 2) // one for each client, which revokes all
	for _, r := range w.provider.Requests(identitytest.EndpointSignOut) {
		if r.Status != http.StatusOK || strings.Contains(string(r.Body), "refresh_token") {
			t.Errorf("a sign-out with status %d, not of all tokens", r.Status)
		}
	}
}

// req 78: a request that began before the sign-out and ends after it does not
// bring the session back, and the token it got is revoked.
func TestSlowRequestDoesNotReviveTheSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	b := w.browser()
	account := b.signIn(trader, "spa").want(http.StatusOK, "/account")
	old := b.holding()
	w.clock.advance(life)
	refresh := w.provider.holdToken()
	gone := make(chan error, 1)
	old.leaving(old.fetching("/account"), gone)
	receive(t, refresh.arrived, "the refresh")
	signedOut := make(chan error, 1)
	b.leaving(account.filled("/sign-out", "Sign out"), signedOut)
	for tries := 0; b.cookieWorks(); tries++ { // the session ends at once; the revocation waits for the refresh
		if tries == 1000 {
			t.Fatal("the session did not end")
		}
	}
	refresh.release()
	for _, done := range []chan error{gone, signedOut} {
		if err := receive(t, done, "an answer"); err != nil {
			t.Error(err)
		}
	}
	old.open("/account").want(http.StatusOK, "/sign-in")
	w.wantGrants("refresh_token", 1) // req 60: one refresh token is never in two requests
	until(t, "the revocation of what the renewal brought", func() bool { return w.provider.Count(identitytest.EndpointSignOut) > 0 })
	w.wantCount(identitytest.EndpointSignOut, 1)
}

// cookieWorks reports whether the browser is signed in.
func (b *browser) cookieWorks() bool {
	b.t.Helper()
	return b.fetch("/session").status == http.StatusOK
}

// req 74, 75, 76: unused for 15 minutes, a session ends; scripts that look do
// not count as use; and after ten hours it ends in any case.
func TestTimeouts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	idle, watched, busy := w.browser(), w.browser(), w.browser()
	for _, b := range []*browser{idle, watched, busy} {
		b.signIn(trader, "spa").want(http.StatusOK, "/account")
	}
	pass := func(d time.Duration) {
		for range int(d / (5 * time.Minute)) {
			w.clock.advance(5 * time.Minute)
			watched.fetch("/account/token")
			watched.fetch("/session")
			busy.open("/flow").want(http.StatusOK, "/flow")
		}
	}
	pass(15 * time.Minute)
	idle.open("/account").want(http.StatusOK, "/sign-in")
	watched.open("/account").want(http.StatusOK, "/sign-in")
	pass(10*time.Hour - 20*time.Minute)
	busy.open("/account").want(http.StatusOK, "/account")
	w.clock.advance(5 * time.Minute)
	busy.open("/account").want(http.StatusOK, "/sign-in")
}
