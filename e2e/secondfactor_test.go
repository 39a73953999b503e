package e2e

import (
	"net/http"
	"testing"
	"time"

	"b2trader.identity.auth/identity/identitytest"
)

// The second factor, right at once, for both clients.
func TestSecondFactor(t *testing.T) {
	t.Parallel()
	eachClient(t, func(t *testing.T, _, client string) {
		w := newWorld(t, setup{})
		b := w.browser()
		p := b.open("/flow").signIn(guarded, client)
		p.want(http.StatusOK, "/sign-in/second-factor", "emailed you a one-time authentication code", "Email")
		before := b.cookie()
		b.open("/account").want(http.StatusOK, "/sign-in") // not signed in yet
		w.wantCount(identitytest.EndpointAuthorize, 0)
		p = p.submit("/sign-in/second-factor", "Continue", "code", " "+onceCode+" ")
		p.want(http.StatusOK, "/flow") // where the user wanted to go
		if b.cookie() == before {      // req 72
			t.Error("the session kept its id at the second factor")
		}
		b.open("/account").want(http.StatusOK, "/account", "Gary Guarded", client)
	})
}

// A wrong code asks again, five times; then the password is asked for again.
func TestSecondFactorWrong(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	b := w.browser()
	p := b.signIn(guarded, "spa").want(http.StatusOK, "/sign-in/second-factor")
	for range 2 {
		p = p.submit("/sign-in/second-factor", "Continue", "code", "a wrong code")
		p.want(http.StatusUnprocessableEntity, "/sign-in/second-factor", "not accepted")
	}
	p.submit("/sign-in/second-factor", "Continue", "code", onceCode).want(http.StatusOK, "/account")

	p = b.signIn(guarded, "spa").want(http.StatusOK, "/sign-in/second-factor")
	for range 4 {
		p = p.submit("/sign-in/second-factor", "Continue", "code", "a wrong code")
		p.want(http.StatusUnprocessableEntity, "/sign-in/second-factor")
		w.clock.advance(time.Minute) // not what is limited here
	}
	fifth := p.submit("/sign-in/second-factor", "Continue", "code", "a wrong code")
	fifth.want(http.StatusForbidden, "/sign-in/second-factor", "Too many wrong codes")
	p.submit("/sign-in/second-factor", "Continue", "code", onceCode).
		want(http.StatusForbidden, "/sign-in/second-factor", "no longer under way")
	b.open("/account").want(http.StatusOK, "/account", "Gary Guarded") // the first session is not hurt
}

// req 11: two tabs sign in side by side, each under its own attempt.
func TestTwoTabs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	b := w.browser()
	one := b.open("/try").signIn(guarded, "spa").want(http.StatusOK, "/sign-in/second-factor")
	two := b.open("/flow").signIn(guarded, "spa_admin").want(http.StatusOK, "/sign-in/second-factor")
	one.submit("/sign-in/second-factor", "Continue", "code", onceCode).want(http.StatusOK, "/try")
	b.open("/account").want(http.StatusOK, "/account", "Gary Guarded")
	two.submit("/sign-in/second-factor", "Continue", "code", onceCode).want(http.StatusOK, "/flow")
	if got := b.open("/account").text("header .person .chip"); got != "with client spa_admin" {
		t.Errorf("the header says %q", got)
	}
	w.wantGrants("authorization_code", 2)
}

// Two tabs of one browser that are signed in see the same session, and a
// sign-out in one is one for both.
func TestTwoTabsSignedIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	b := w.browser()
	one := b.signIn(trader, "spa").want(http.StatusOK, "/account")
	two := one.follow("Flow").want(http.StatusOK, "/flow")
	one.submit("/sign-out", "Sign out").want(http.StatusOK, "/sign-in", "You are signed out.")
	two.follow("Try an API").want(http.StatusOK, "/sign-in").signIn(trader, "spa").want(http.StatusOK, "/try")
	one.follow("Flow").want(http.StatusOK, "/flow") // the old tab is good again
}

// An attempt belongs to the browser that began it, and to ten minutes. req 3, 11
func TestSecondFactorOfAnother(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	b := w.browser()
	p := b.signIn(guarded, "spa").want(http.StatusOK, "/sign-in/second-factor")
	stranger := w.browser()
	stranger.signIn(guarded, "spa").want(http.StatusOK, "/sign-in/second-factor")
	stranger.open(p.url.RequestURI()).want(http.StatusForbidden, "/sign-in/second-factor", "another browser")
	foreign := p.filled("/sign-in/second-factor", "Continue", "code", onceCode)
	stranger.navigate(foreign).want(http.StatusForbidden, "/sign-in/second-factor", "another browser")
	w.clock.advance(10 * time.Minute)
	p.submit("/sign-in/second-factor", "Continue", "code", onceCode).
		want(http.StatusForbidden, "/sign-in/second-factor", "no longer under way").
		follow("Sign in").want(http.StatusOK, "/sign-in")
	w.wantCount(identitytest.EndpointAuthorize, 0)
}

// The link on the page leads back to the beginning.
func TestSecondFactorStartAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	b := w.browser()
	b.signIn(guarded, "spa").want(http.StatusOK, "/sign-in/second-factor").
		follow("Start again").want(http.StatusOK, "/sign-in").signIn(trader, "spa").want(http.StatusOK, "/account")
}
