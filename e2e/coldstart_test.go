package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"b2trader.identity.auth/identity/identitytest"
)

// TestColdStartOfTwoProcesses asks two processes for many sessions at once, all
// of which have expired. The token endpoint refuses the first requests, and then
// answers one after the other. Callers whose renewal is refused hear 503 and come
// back; the others wait. The renewals under way are bounded, the server takes
// each refresh token once, and no session is lost although nothing can resume it.
// field 40
func TestColdStartOfTwoProcesses(t *testing.T) {
	t.Parallel()
	const (
		sessions = 170
		refused  = 20
		pace     = 25 * time.Millisecond
		atOnce   = 2 * 64 // the most of two processes
	)
	// Not newSecrets: to search all answers for hundreds of tokens takes long.
	f := newFleet(t, &secrets{}, startRedis(t).part(), "-forget-identity-session", "-trusted-proxies", "127.0.0.1/32")
	f.server.Inject(identitytest.EndpointToken, identitytest.Fault{
		Grant: "authorization_code", Times: sessions, Answer: func(fields map[string]any) { fields["expires_in"] = 1 },
	})
	var browsers []*browser
	for i := range sessions {
		browsers = append(browsers, f.crowded(i))
	}
	<-time.After(time.Second) // the last token expires
	var (
		one       sync.Mutex
		now, most atomic.Int64
	)
	f.server.Inject(identitytest.EndpointToken, identitytest.Fault{
		Grant: "refresh_token", Times: refused, Status: http.StatusServiceUnavailable, RetryAfter: "1",
	})
	f.server.Inject(identitytest.EndpointToken, identitytest.Fault{Grant: "refresh_token", Times: -1, Answer: func(map[string]any) {
		under := now.Add(1)
		defer now.Add(-1)
		one.Lock()
		defer one.Unlock()
		most.Store(max(most.Load(), under))
		<-time.After(pace)
	}})
	var all sync.WaitGroup
	unavailable := make(chan string, 100*sessions)
	for _, b := range browsers {
		for _, d := range f.demos {
			all.Go(func() { b.at(d).comeBack(unavailable) })
		}
	}
	all.Wait()
	if len(unavailable) == 0 {
		t.Error("no caller heard 503, want those of a refused renewal to hear it")
	}
	if most.Load() > atOnce {
		t.Errorf("%d renewals were under way at once, want at most %d", most.Load(), atOnce)
	}
	f.wantRenewals("renewed", sessions)
	f.wantGrants("refresh_token", sessions+refused)
	taken := map[string]int{}
	for _, r := range f.server.Requests(identitytest.EndpointToken) {
		if token := r.Form.Get("refresh_token"); token != "" {
			taken[token]++
		}
	}
	repeated := 0
	for _, n := range taken {
		repeated += n - 1
	}
	if len(taken) != sessions || repeated != refused {
		t.Errorf("%d refresh tokens came and %d requests repeated one, want %d and the %d that were refused", len(taken), repeated, sessions, refused)
	}
}

// crowded returns a browser that signed in from an address of its own, with an
// account that has enough attempts left.
func (f *fleet) crowded(n int) *browser {
	f.t.Helper()
	b := f.demos[n%len(f.demos)].browser()
	email := []string{trader, admin, machine}[n%3]
	p := b.send(request{
		method: http.MethodPost, url: b.resolve(b.base, "/sign-in"), site: "same-origin", origin: b.base.Scheme + "://" + b.base.Host,
		form:   url.Values{"email": {email}, "password": {passwords[email]}, "client": {"spa"}},
		header: http.Header{"X-Forwarded-For": {fmt.Sprintf("192.0.2.%d", n)}},
	})
	if p.status != http.StatusSeeOther || b.cookie() == "" {
		f.t.Fatalf("POST /sign-in = %d, want 303 and a session", p.status)
	}
	return b
}

// comeBack calls the API until it answers 200. Until then each answer must be
// 503 with Retry-After, which is obeyed and sent to unavailable.
func (b *browser) comeBack(unavailable chan<- string) {
	for {
		p, err := b.try(b.fetching(apiCall))
		if err != nil {
			b.t.Error(err)
			return
		}
		if p.status == http.StatusOK {
			return
		}
		retry := p.header.Get("Retry-After")
		seconds, err := strconv.Atoi(retry)
		if p.status != http.StatusServiceUnavailable || err != nil || seconds < 1 {
			b.t.Errorf("GET %s = %d with Retry-After %q, want 200, or 503 with a positive number", apiCall, p.status, retry)
			return
		}
		unavailable <- retry
		<-time.After(time.Duration(seconds) * time.Second)
	}
}
