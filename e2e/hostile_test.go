package e2e

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/web"
)

// req 9, 100: what a request says of hosts and addresses changes neither the
// redirect URI nor where the browser is sent, nor by whom attempts are counted.
func TestHeadersOfStrangersAreNotBelieved(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{web: func(c *web.Config) { c.AttemptsPerAddress = 2 }})
	b := w.browser()
	form := b.open("/sign-in").filled("/sign-in", "Sign in", "email", trader, "password", passwords[trader], "client", "spa")
	forged := func(address string) *page {
		form.header = http.Header{
			"X-Forwarded-Host": {"evil.example"}, "X-Forwarded-Proto": {"http"}, "Forwarded": {"host=evil.example;proto=http"},
			"X-Forwarded-For": {address}, "X-Real-Ip": {address}, "X-Request-Id": {"chosen-by-a-stranger"}, "Authorization": {"Bearer x.y.z"},
		}
		return b.send(form)
	}
	p := forged("203.0.113.1")
	if p.header.Get("Location") != "/account" || p.header.Get("X-Request-Id") == "chosen-by-a-stranger" {
		t.Errorf("sent to %q, request %q", p.header.Get("Location"), p.header.Get("X-Request-Id"))
	}
	if got := w.provider.Requests(identitytest.EndpointAuthorize)[0].Query.Get("redirect_uri"); got != w.provider.URL()+"/identity/sign-in-done" {
		t.Errorf("redirect_uri is %q", got)
	}
	forged("203.0.113.2")
	if p := forged("203.0.113.3"); p.status != http.StatusTooManyRequests {
		t.Errorf("the third attempt of one address gives %d", p.status)
	}
}

// req 122, 124: what happened is logged, a line for each event; what somebody
// typed makes no line of its own, and is not repeated.
func TestLog(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	b := w.browser()
	b.open("/sign-in").submit("/sign-in", "Sign in", "email", "a\n{\"level\":\"ERROR\"}@example.com", "password", "wrong password", "client", "spa")
	b.open("/a%0a%7B%22level%22:%22ERROR%22%7D?password=typed-into-the-address-bar")
	account := b.signIn(trader, "spa")
	w.clock.advance(life)
	b.open("/account")
	account.submit("/sign-out", "Sign out")
	w.provider.down.Store(true)
	b.signIn(trader, "spa")
	until(t, "the event of the renewal", func() bool { return strings.Contains(w.log.String(), `"msg":"token renewal"`) })
	events := map[string]int{}
	for line := range strings.Lines(w.log.String()) {
		var event struct {
			Time                               time.Time
			Msg, Level, Request, User, Address string
			Account, Path                      string
		}
		if err := json.Unmarshal([]byte(line), &event); err != nil || event.Time.IsZero() || event.Msg == "" {
			t.Fatalf("a line that is no event: %q", line)
		}
		if (event.Msg == "signed in" || event.Msg == "signed out") && (event.User == "" || event.Request == "" || event.Address != "127.0.0.1") {
			t.Errorf("who, where: %s", line)
		}
		events[event.Msg]++
	}
	for msg, want := range map[string]int{"signed in": 1, "signed out": 1, "sign-in failed": 2, "token renewal": 1} {
		if events[msg] != want {
			t.Errorf("%d events %q, want %d", events[msg], msg, want)
		}
	}
	for _, typed := range []string{"typed-into-the-address-bar", "example.com", "ERROR\\\"}@"} {
		if strings.Contains(w.log.String(), typed) {
			t.Errorf("the log repeats %q", typed)
		}
	}
}

// panicking is a transport that fails worse than any other.
type panicking struct{}

// RoundTrip implements http.RoundTripper.
func (panicking) RoundTrip(*http.Request) (*http.Response, error) { panic("out of order") }

// req 130: a panic is a page with status 500; the process and the session live on.
func TestPanic(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{web: func(c *web.Config) { c.APITransport = panicking{} }})
	b := w.browser()
	b.signIn(trader, "spa").follow("Try an API").submit("/try", "account").
		want(http.StatusInternalServerError, "/try", "Something went wrong here")
	b.open("/account").want(http.StatusOK, "/account", "Tracy Trader")
	if !strings.Contains(w.log.String(), `"msg":"panic"`) || strings.Contains(w.log.String(), "out of order") {
		t.Error("the log tells of no panic, or too much of it")
	}
}

// req 42: the server's keys change while the site runs.
func TestKeyRotation(t *testing.T) {
	t.Parallel()
	for name, keyID := range map[string]bool{"with kid": true, "without kid": false} { // req 30, 31
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, setup{provider: func(c *identitytest.Config) { c.KeyID = keyID }})
			b := w.browser()
			b.signIn(trader, "spa").want(http.StatusOK, "/account")
			w.provider.RotateKeys()
			w.clock.advance(life)
			b.open("/account").want(http.StatusOK, "/account", "Renewed once")
			w.browser().signIn(trader, "spa").want(http.StatusOK, "/account")
			w.clock.advance(time.Minute)
			w.provider.RotateKeys()
			w.provider.DropOldKeys()
			w.browser().signIn(trader, "spa").want(http.StatusOK, "/account")
		})
	}
}

// req 7: the issuer is the configured one to the byte, as B2Trader's internal name is.
func TestInternalIssuer(t *testing.T) {
	t.Parallel()
	internal := func(c *identitytest.Config) { c.Issuer = identitytest.InternalIssuer }
	w := newWorld(t, setup{provider: internal, client: func(c *identity.Config) { c.Issuer = identitytest.InternalIssuer }})
	b := w.browser()
	b.signIn(trader, "spa").want(http.StatusOK, "/account", identitytest.InternalIssuer)
	w.clock.advance(life)
	b.open("/account").want(http.StatusOK, "/account", "Renewed once")
	other := newWorld(t, setup{provider: internal})
	other.browser().signIn(trader, "spa").want(http.StatusInternalServerError, "/sign-in", "not set up correctly")
	other.wantCount(identitytest.EndpointAuthorize, 0)
}

// Many people sign in at once, and each gets their own account.
func TestManySignInsAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{web: func(c *web.Config) { c.AttemptsPerAccount, c.AttemptsPerAddress = 100, 100 }})
	var all sync.WaitGroup
	for i := range 16 {
		b, email, client := w.browser(), trader, "spa"
		if i%2 == 1 {
			email, client = admin, "spa_admin"
		}
		form := b.open("/sign-in").filled("/sign-in", "Sign in", "email", email, "password", passwords[email], "client", client)
		all.Go(func() {
			if p, err := b.try(form); err != nil || p.header.Get("Location") != "/account" {
				t.Errorf("%v", err)
				return
			}
			if p, err := b.try(b.fetching("/session")); err != nil || !strings.Contains(p.body, email) {
				t.Errorf("%v: the session is not that of %s", err, email)
			}
		})
	}
	all.Wait()
	w.wantGrants("authorization_code", 16)
}
