package e2e

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/store/storetest/servers"
	"b2trader.identity.auth/identity/vault"
)

// fleet is several processes of the command demo on one store, before one
// IdentityServer and its APIs, which are in the test's own process.
type fleet struct {
	*world
	demos []*demo
	args  []string
	keys  string // the file
}

// apiCall is a call that the FrontOffice answers to whoever has a live token.
const apiCall = "/api/frontoffice/v3/account"

// newFleet starts two processes on a store. When the test ends, every answer and every log is searched for secrets.
func newFleet(t *testing.T, store string, more ...string) *fleet {
	t.Helper()
	f := &fleet{world: &world{t: t, clock: &clock{}, guard: &guard{}, log: &logBuffer{}}}
	t.Cleanup(f.search)
	f.provider = startProvider(t, f.clock, f.guard, nil)
	f.keys = filepath.Join(t.TempDir(), "keys")
	f.setKeys(vault.NewKey("first"))
	f.args = append([]string{
		"-log-format", "json", "-identity-url", f.provider.URL(), "-frontoffice-url", f.provider.URL() + "/frontoffice",
		"-backoffice-url", f.provider.URL() + "/backoffice", "-store", store, "-session-keys-file", f.keys,
	}, more...)
	for range 2 {
		f.demos = append(f.demos, f.demo(servers.FreeAddress(t))) // where it may start again
	}
	return f
}

// demo starts one more process.
func (f *fleet) demo(addr string) *demo {
	f.t.Helper()
	return startDemo(f.t, append([]string{"-addr", addr, "-metrics-addr", "127.0.0.1:0"}, f.args...)...)
}

// restart replaces a process, which has ended or is stopped now, by another at the same address.
func (f *fleet) restart(n int) {
	f.t.Helper()
	old := f.demos[n]
	if !old.stopped {
		old.stop()
	}
	f.log.append(old.log)
	f.demos[n] = f.demo(old.site.Host)
}

// setKeys writes the file of keys, which a process reads when it starts.
func (f *fleet) setKeys(keys ...vault.Key) {
	f.t.Helper()
	var lines strings.Builder
	for _, k := range keys {
		fmt.Fprintf(&lines, "%s:%s\n", k.ID, base64.StdEncoding.EncodeToString(k.Secret))
		f.guard.learn("session key", base64.StdEncoding.EncodeToString(k.Secret))
	}
	if err := os.WriteFile(f.keys, []byte(lines.String()), 0o600); err != nil {
		f.t.Fatal(err)
	}
}

// search fails if a secret reached a browser or a log. req 96, 123
func (f *fleet) search() {
	for _, d := range f.demos {
		f.log.append(d.log)
	}
	f.world.search()
	if f.t.Failed() {
		f.t.Logf("the log:\n%s", f.log)
	}
}

// browser is a new one, at the first process. Cookies do not know ports (RFC 6265 section 8.5), so it is the same at all.
func (f *fleet) browser() *browser {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 64
	f.t.Cleanup(transport.CloseIdleConnections)
	return newBrowser(f.t, f.world, f.demos[0].site, transport)
}

// at is the browser at another process.
func (b *browser) at(d *demo) *browser {
	other := *b
	other.base = d.site
	return &other
}

// shortLife is how long a token lasts that shortly makes the IdentityServer say so.
const shortLife = 2 * time.Second

// shorten makes the next token of that grant one that its holder believes to be short-lived.
func (p *provider) shorten(grant string, more identitytest.Fault) {
	more.Grant = grant
	more.Answer = func(fields map[string]any) { fields["expires_in"] = int(shortLife / time.Second) }
	p.Inject(identitytest.EndpointToken, more)
}

// expired is a browser that has signed in at the first process, and whose token is over.
func (f *fleet) expired() *browser {
	f.t.Helper()
	b := f.browser()
	f.provider.shorten("authorization_code", identitytest.Fault{})
	p := b.send(b.open("/sign-in").filled("/sign-in", "Sign in", "email", trader, "password", passwords[trader], "client", "spa"))
	if p.status != http.StatusSeeOther {
		f.t.Fatalf("the sign-in gives %d", p.status)
	}
	b.wait(shortLife)
	return b
}

// wait lets a token grow old.
func (b *browser) wait(d time.Duration) {
	b.t.Helper()
	over := time.Now().Add(d)
	until(b.t, "the end of the token", func() bool { return time.Now().After(over) })
}

// calls makes n API calls at once, by turns at each process.
func (f *fleet) calls(b *browser, n int) []*page {
	pages := make([]*page, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			at := b.at(f.demos[i%len(f.demos)])
			p, err := at.try(at.fetching(apiCall))
			if err != nil {
				f.t.Error(err)
				return
			}
			pages[i] = p
		})
	}
	all.Wait()
	return slices.DeleteFunc(pages, func(p *page) bool { return p == nil })
}

// wantAlive fails unless every process serves the browser's session.
func (f *fleet) wantAlive(b *browser) {
	f.t.Helper()
	for n, d := range f.demos {
		if p := b.at(d).fetch(apiCall); p.status != http.StatusOK || !strings.Contains(p.body, trader) {
			f.t.Errorf("process %d answers %d %s", n, p.status, p.body)
		}
		if p := b.at(d).fetch("/session"); p.status != http.StatusOK {
			f.t.Errorf("process %d answers /session with %d %s", n, p.status, p.body)
		}
	}
}

// untilServed asks one process until it answers 200. Until then nothing but 503 with Retry-After is right. req 55, 80
func (f *fleet) untilServed(b *browser, d *demo) {
	f.t.Helper()
	until(f.t, "an answer of 200", func() bool {
		p := b.at(d).fetch(apiCall)
		if p.status != http.StatusOK {
			wantUnavailable(f.t, p)
		}
		return p.status == http.StatusOK
	})
}

// wantUnavailable fails unless the answer is "not now", and leaves the cookie alone.
func wantUnavailable(t *testing.T, p *page) {
	t.Helper()
	if p.status != http.StatusServiceUnavailable {
		t.Fatalf("%s gives %d %s, want 503", p.url.Path, p.status, p.body)
	}
	wantRetryAfter(t, p)
	if p.header.Get("Set-Cookie") != "" {
		t.Error("a 503 touches the cookie")
	}
}

// wantRenewals fails unless the processes that run have counted so many renewals with that result, together.
func (f *fleet) wantRenewals(result string, want int) {
	f.t.Helper()
	got := 0
	until(f.t, fmt.Sprintf("%d renewals that were %s", want, result), func() bool {
		got = 0
		for _, d := range f.demos {
			if !d.stopped {
				got += d.metric(`b2trader_renewal_duration_seconds_count{client="spa",result="` + result + `"}`)
			}
		}
		return got >= want
	})
	if got != want {
		f.t.Errorf("%d renewals were %s, want %d", got, result, want)
	}
}

// metric is the value of a series, 0 if there is none.
func (d *demo) metric(series string) int {
	d.t.Helper()
	req, err := http.NewRequestWithContext(d.t.Context(), http.MethodGet, d.metrics, nil)
	if err != nil {
		d.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		d.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), series+" "); ok {
			n, err := strconv.Atoi(value)
			if err != nil {
				d.t.Fatal(err)
			}
			return n
		}
	}
	return 0
}

// eachStore runs test on a real Redis, and on a real PostgreSQL.
func eachStore(t *testing.T, test func(t *testing.T, start func(testing.TB) *database)) {
	for name, start := range map[string]func(testing.TB) *database{"Redis": startRedis, "PostgreSQL": startPostgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, start)
		})
	}
}
