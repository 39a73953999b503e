package e2e

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/templates"
	"b2trader.identity.auth/web"
)

// eachClient runs a test for both of a user's clients.
func eachClient(t *testing.T, test func(t *testing.T, email, client string)) {
	for client, email := range map[string]string{identity.ClientSPA: trader, identity.ClientSPAAdmin: admin} {
		t.Run(client, func(t *testing.T) {
			t.Parallel()
			test(t, email, client)
		})
	}
}

// req 1, 2, 3, 4, 13, 32, 39, 41, 65, 67, 96
func TestSignIn(t *testing.T) {
	t.Parallel()
	eachClient(t, func(t *testing.T, email, client string) {
		w := newWorld(t, setup{})
		b := w.browser()
		p := b.open("/")
		p.want(http.StatusOK, "/sign-in", "Sign in", w.provider.URL())
		p = p.signIn(email, client)
		p.want(http.StatusOK, "/account", "You are signed in as", client)
		if len(b.cookie()) < 22 { // req 71: 128 bits in base64
			t.Errorf("the session id has %d characters", len(b.cookie()))
		}
		if !strings.HasPrefix(b.open("/").url.Path, "/account") {
			t.Error("the start page does not know who is signed in")
		}
		authorize := w.provider.Requests(identitytest.EndpointAuthorize)[0].Query
		if authorize.Get("response_type") != "code" || authorize.Get("code_challenge_method") != "S256" || len(authorize.Get("code_challenge")) != 43 {
			t.Errorf("authorize was asked for response_type %q, challenge of %d characters by %q",
				authorize.Get("response_type"), len(authorize.Get("code_challenge")), authorize.Get("code_challenge_method"))
		}
		w.wantCount(identitytest.EndpointSignIn, 1)
		w.wantGrants("authorization_code", 1)
		for _, kind := range []string{"access_token", "refresh_token", "id_token", "code", "code_verifier", "password", "state", "nonce"} {
			if w.guard.knows(kind) == 0 {
				t.Errorf("the guard learned no %s, so it looks for none", kind)
			}
		}
	})
}

// The site works on http too, on loopback, and then without the prefix that needs https.
func TestSignInOverHTTP(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{plain: true})
	b := w.browser()
	b.signIn(trader, identity.ClientSPA).want(http.StatusOK, "/account")
	if b.cookie() == "" {
		t.Error("no session cookie")
	}
}

// req 10, 125: the answer says neither which of the two was wrong nor what was typed.
func TestWrongPassword(t *testing.T) {
	t.Parallel()
	eachClient(t, func(t *testing.T, email, client string) {
		w := newWorld(t, setup{})
		b := w.browser()
		fill := func(who string) *page {
			return b.open("/sign-in").submit("/sign-in", "Sign in", "email", who, "password", "wrong <password> of nobody", "client", client)
		}
		known, unknown := fill(email), fill("nobody@example.com")
		known.want(http.StatusUnprocessableEntity, "/sign-in", "do not go together")
		if known.text("#problem") != unknown.text("#problem") {
			t.Error("the answer tells whether the account exists")
		}
		if got := known.doc().Find("#email").AttrOr("value", ""); got != email {
			t.Errorf("the form holds the e-mail %q", got)
		}
		if got := known.doc().Find("input[name=client][checked]").AttrOr("value", ""); got != client {
			t.Errorf("the form has chosen the client %q", got)
		}
		b.open("/account").want(http.StatusOK, "/sign-in")
		w.wantCount(identitytest.EndpointAuthorize, 0)
		known.signIn(email, client).want(http.StatusOK, "/account")
	})
}

// req 8: the sign-in comes back to where the user was, and to no other site.
func TestReturnTo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	b := w.browser()
	p := b.open("/try?from=bookmark")
	p.want(http.StatusOK, "/sign-in")
	p = p.submit("/sign-in", "Sign in", "email", trader, "password", "a wrong one first", "client", "spa")
	p = p.want(http.StatusUnprocessableEntity, "/sign-in").signIn(trader, "spa")
	p.want(http.StatusOK, "/try")
	if p.url.RawQuery != "from=bookmark" {
		t.Errorf("came back to the query %q", p.url.RawQuery)
	}
	for _, evil := range []string{"//evil.example/", "https://evil.example/", `/\evil.example`, "/%2f/evil.example", "javascript:alert(1)", "/sign-in"} {
		b := w.browser()
		b.open("/sign-in?return_to="+url.QueryEscape(evil)).signIn(trader, "spa").want(http.StatusOK, "/account")
	}
}

// req 72: a session id that somebody planted before the sign-in is worth nothing after it.
func TestSessionFixation(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	attacker := w.browser()
	attacker.signIn(guarded, "spa").want(http.StatusOK, "/sign-in/second-factor") // a session before any sign-in
	planted := attacker.cookie()
	if planted == "" {
		t.Fatal("there is no session to plant")
	}
	victim := attacker.holding()
	victim.signIn(trader, "spa").want(http.StatusOK, "/account")
	if victim.cookie() == planted {
		t.Error("the session kept its id at sign-in")
	}
	attacker.open("/account").want(http.StatusOK, "/sign-in")
}

// A session id that the server never gave out opens no session, and is not taken over.
func TestInventedSessionID(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	b := w.browser()
	invented := "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	b.client.Jar.SetCookies(b.base, []*http.Cookie{{Name: "__Host-b2trader-session", Value: invented, Path: "/", Secure: true}})
	b.signIn(trader, "spa").want(http.StatusOK, "/account")
	if b.cookie() == invented || b.cookie() == "" {
		t.Error("the invented id became a session's")
	}
}

// req 72, 111: the second sign-in replaces the first, whose tokens are revoked.
func TestSecondSignInReplacesTheFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	b := w.browser()
	b.signIn(trader, "spa").want(http.StatusOK, "/account")
	old := b.holding()
	b.signIn(admin, "spa_admin").want(http.StatusOK, "/account", "Ada Admin")
	w.wantCount(identitytest.EndpointSignOut, 1)
	old.open("/account").want(http.StatusOK, "/sign-in")
	b.open("/account").want(http.StatusOK, "/account", "Ada Admin")
}

// Too many attempts are refused by account, and a minute later they are not.
func TestTooManyAttempts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	b := w.browser()
	attempt := func() *page {
		return b.open("/sign-in").submit("/sign-in", "Sign in", "email", trader, "password", "wrong password", "client", "spa")
	}
	for range 5 {
		attempt().want(http.StatusUnprocessableEntity, "/sign-in")
	}
	p := attempt().want(http.StatusTooManyRequests, "/sign-in", "Too many attempts")
	if seconds, err := strconv.Atoi(p.header.Get("Retry-After")); err != nil || seconds < 1 || seconds > 60 {
		t.Errorf("Retry-After is %q", p.header.Get("Retry-After"))
	}
	w.wantCount(identitytest.EndpointSignIn, 5) // the sixth did not get there
	b.signIn(trader, "spa").want(http.StatusTooManyRequests, "/sign-in")
	w.browser().signIn(admin, "spa_admin").want(http.StatusOK, "/account") // others may
	w.clock.advance(time.Minute)
	p.follow("Back to the sign-in page").signIn(trader, "spa").want(http.StatusOK, "/account")
}

// The attempts of one address are bounded too, whatever account they name.
func TestTooManyAttemptsOfAnAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{web: func(c *web.Config) { c.AttemptsPerAddress = 3 }})
	b := w.browser()
	for _, who := range []string{"a@example.com", "b@example.com", "c@example.com"} {
		b.open("/sign-in").submit("/sign-in", "Sign in", "email", who, "password", "wrong password", "client", "spa").
			want(http.StatusUnprocessableEntity, "/sign-in")
	}
	b.signIn(trader, "spa").want(http.StatusTooManyRequests, "/sign-in")
}

// The sign-in page of the embedded server says who exists.
func TestSampleUsersAreListed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{web: func(c *web.Config) {
		c.SampleUsers = []templates.SampleUser{{Email: "sample@example.com", Password: "shown on purpose", Note: "A sample."}}
	}})
	w.browser().open("/sign-in").want(http.StatusOK, "/sign-in", "sample@example.com", "shown on purpose", "A sample.")
	plain := newWorld(t, setup{}).browser().open("/sign-in")
	if strings.Contains(plain.body, "sample@example.com") {
		t.Error("sample users without a configuration of them")
	}
}
