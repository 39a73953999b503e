package e2e

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/store/storetest/servers"
	"b2trader.identity.auth/identity/vault"
)

// apiCall is a call that the FrontOffice answers if the token is live.
const apiCall = "/api/frontoffice/v3/account"

// fleet is several processes of the command demo on one store. They share one
// IdentityServer, which runs in the process of the test.
type fleet struct {
	t       *testing.T
	secrets *secrets
	server  *identityServer
	demos   []*demo
	flags   []string
	keys    string // file of -session-keys-file
}

// newFleet starts two processes on a store. flags are added to their own.
func newFleet(t *testing.T, s *secrets, store string, flags ...string) *fleet {
	t.Helper()
	f := &fleet{t: t, secrets: s}
	f.server = startIdentityServer(t, f.secrets)
	f.keys = filepath.Join(t.TempDir(), "keys")
	f.setKeys(vault.NewKey("first"))
	f.flags = append([]string{
		"-log-format", "json", "-identity-url", f.server.URL(), "-frontoffice-url", f.server.URL() + "/frontoffice",
		"-backoffice-url", f.server.URL() + "/backoffice", "-store", store, "-session-keys-file", f.keys,
	}, flags...)
	for range 2 {
		f.demos = append(f.demos, f.start(servers.FreeAddress(t))) // restart listens there again
	}
	return f
}

// start starts one more process.
func (f *fleet) start(addr string) *demo {
	f.t.Helper()
	return startDemo(f.t, f.secrets, append([]string{"-addr", addr, "-metrics-addr", "127.0.0.1:0"}, f.flags...)...)
}

// restart replaces process n by another at the same address. If the process
// still runs, it is stopped first.
func (f *fleet) restart(n int) {
	f.t.Helper()
	if !f.demos[n].stopped {
		f.demos[n].stop()
	}
	f.demos[n] = f.start(f.demos[n].site.Host)
}

// setKeys writes the file of keys, which a process reads when it starts.
func (f *fleet) setKeys(keys ...vault.Key) {
	f.t.Helper()
	var lines strings.Builder
	for _, k := range keys {
		secret := base64.StdEncoding.EncodeToString(k.Secret)
		fmt.Fprintf(&lines, "%s:%s\n", k.ID, secret)
		f.secrets.learn("session key", secret)
	}
	if err := os.WriteFile(f.keys, []byte(lines.String()), 0o600); err != nil {
		f.t.Fatal(err)
	}
}

// browser returns a new browser at the first process. Cookies do not depend on
// the port (RFC 6265 section 8.5), so its session is the same at each process.
func (f *fleet) browser() *browser { return f.demos[0].browser() }

// at returns the same browser at another process.
func (b *browser) at(d *demo) *browser {
	other := *b
	other.base = d.site
	return &other
}

// expired returns a browser that signed in at the first process and whose
// access token is over by now.
func (f *fleet) expired() *browser {
	f.t.Helper()
	b := f.browser()
	f.server.shorten("authorization_code")
	form := b.open("/sign-in").filled("/sign-in", "Sign in", "email", trader, "password", passwords[trader], "client", "spa")
	if p := b.send(form); p.status != http.StatusSeeOther { // the page would use the token
		f.t.Fatalf("POST /sign-in = %d, want 303", p.status)
	}
	<-time.After(shortLife)
	return b
}

// calls makes n API calls at once, at the processes by turns.
func (f *fleet) calls(b *browser, n int) []*page {
	pages := make(chan *page, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			at := b.at(f.demos[i%len(f.demos)])
			p, err := at.try(at.fetching(apiCall))
			if err != nil {
				f.t.Error(err)
				return
			}
			pages <- p
		})
	}
	all.Wait()
	close(pages)
	var answered []*page
	for p := range pages {
		answered = append(answered, p)
	}
	return answered
}

// wantAlive fails the test unless each process serves the browser's session.
func (f *fleet) wantAlive(b *browser) {
	f.t.Helper()
	for n, d := range f.demos {
		for _, path := range []string{apiCall, "/session"} {
			if p := b.at(d).fetch(path); p.status != http.StatusOK || !strings.Contains(p.body, "@example.com") {
				f.t.Errorf("process %d: GET %s = %d %s, want 200 with the account", n, path, p.status, p.body)
			}
		}
	}
}

// wantEnded waits until a process notices that the session ended, and fails the
// test if the cookie still opens anything there.
func (f *fleet) wantEnded(old *browser) {
	f.t.Helper()
	for n, d := range f.demos {
		at := old.at(d)
		if at.cookie() == "" {
			f.t.Fatal("the browser has no cookie to try")
		}
		// Another process learns of a sign-out by the store's watch.
		until(f.t, "401 of /session", func() bool { return at.fetch("/session").status == http.StatusUnauthorized })
		for _, path := range []string{apiCall, slowCall, eventsCall, "/session", "/account/token"} {
			if p := at.fetch(path); p.status != http.StatusUnauthorized {
				f.t.Errorf("process %d: GET %s = %d, want 401", n, path, p.status)
			}
		}
		at.open("/account").want(http.StatusOK, "/sign-in")
		at.open("/sessions").want(http.StatusOK, "/sign-in")
		if c, err := at.socket(f.t, socketCall).DialContext(f.t.Context()); err == nil {
			_ = c.Close()
			f.t.Errorf("process %d opens a websocket without a session", n)
		}
	}
}

// untilServed polls one process until it answers 200. Until then each answer
// must be 503 with Retry-After. req 55, 80
func (f *fleet) untilServed(b *browser, d *demo) {
	f.t.Helper()
	until(f.t, "200 of "+apiCall, func() bool {
		p := b.at(d).fetch(apiCall)
		if p.status != http.StatusOK {
			p.wantUnavailable()
		}
		return p.status == http.StatusOK
	})
}

// wantUnavailable fails the test unless the answer is 503 with Retry-After and
// leaves the cookie alone.
func (p *page) wantUnavailable() {
	p.b.t.Helper()
	if p.status != http.StatusServiceUnavailable {
		p.b.t.Fatalf("GET %s = %d %s, want 503", p.url.Path, p.status, p.body)
	}
	if retry := p.header.Get("Retry-After"); !positive(retry) || p.header.Get("Set-Cookie") != "" {
		p.b.t.Errorf("GET %s: Retry-After = %q, Set-Cookie = %q, want a positive number and no cookie", p.url.Path, retry, p.header.Get("Set-Cookie"))
	}
}

func positive(number string) bool {
	n, err := strconv.Atoi(number)
	return err == nil && n > 0
}

// wantRenewals fails the test unless the running processes together count that
// many renewals with the result. A renewal is counted after its callers were
// answered, so it waits for the count.
func (f *fleet) wantRenewals(result string, want int) {
	f.t.Helper()
	got := 0
	until(f.t, fmt.Sprintf("%d renewals that are %s", want, result), func() bool {
		got = 0
		for _, d := range f.demos {
			if !d.stopped {
				got += d.metric(`b2trader_renewal_duration_seconds_count{client="spa",result="` + result + `"}`)
			}
		}
		return got >= want
	})
	if got != want {
		f.t.Errorf("renewals that are %s = %d, want %d", result, got, want)
	}
}

// wantGrants and wantCount fail the test unless the IdentityServer received
// that many requests.
func (f *fleet) wantGrants(grant string, want int) {
	f.t.Helper()
	f.server.wantGrants(f.t, grant, want)
}

func (f *fleet) wantCount(e identitytest.Endpoint, want int) {
	f.t.Helper()
	f.server.wantCount(f.t, e, want)
}
