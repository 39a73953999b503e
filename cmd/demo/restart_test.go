package main

import (
	"context"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"b2trader.identity.auth/identity/identitytest"
)

// A traffic is one signed-in browser whose requests never cease, spread over processes as by a load balancer:
// what one refuses goes to another.
type traffic struct {
	t       *testing.T
	browser *http.Client
	stop    func()

	mu       sync.Mutex
	sites    []string
	answered map[string]int // by site
	wrong    []int          // statuses other than 200
}

// flow begins with requests to all sites; whoever calls stop has seen the last of them.
func flow(t *testing.T, browser *http.Client, sites ...string) *traffic {
	f := &traffic{t: t, browser: browser, sites: sites, answered: map[string]int{}}
	ctx, cancel := context.WithCancel(t.Context())
	var workers sync.WaitGroup
	for i := range 4 {
		workers.Go(func() {
			for n := i; ctx.Err() == nil; n++ {
				f.request(ctx, n)
				<-time.After(10 * time.Millisecond)
			}
		})
	}
	f.stop = func() { cancel(); workers.Wait() }
	return f
}

// request asks for what needs a session and a live token.
func (f *traffic) request(ctx context.Context, n int) {
	f.mu.Lock()
	sites := slices.Clone(f.sites)
	f.mu.Unlock()
	for try := range sites {
		site := sites[(n+try)%len(sites)]
		got := get(ctx, f.browser, site+"/account/token")
		if ctx.Err() != nil {
			return
		}
		if got == 0 { // nobody is there any more
			continue
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		f.answered[site]++
		if got != http.StatusOK {
			f.wrong = append(f.wrong, got)
		}
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.wrong = append(f.wrong, 0)
}

// join adds a process, and waits until it has done some work.
func (f *traffic) join(d *demo) {
	f.t.Helper()
	f.mu.Lock()
	f.sites = append(f.sites, d.site)
	f.mu.Unlock()
	until(f.t, "work of a new process", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.answered[d.site] >= 20
	})
}

// leave stops a process, and takes it out once it has gone.
func (f *traffic) leave(d *demo) {
	f.t.Helper()
	d.stop()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sites = slices.DeleteFunc(f.sites, func(site string) bool { return site == d.site })
}

// renewals waits until the token has been renewed twice more.
func (f *traffic) renewals(o *office) {
	f.t.Helper()
	want := o.Grants("refresh_token") + 2
	until(f.t, "renewals", func() bool { return o.Grants("refresh_token") >= want })
}

// keyFiles returns a file with two keys, and one with the same keys the other way round.
func keyFiles(t *testing.T) (before, after string) {
	t.Helper()
	first, second := newKeyLine(time.Now()), newKeyLine(time.Now())
	return secretFile(t, first+"\n"+second+"\n"), secretFile(t, second+"\n"+first+"\n")
}

// req 131: every process is replaced, and with it the key that seals, while requests flow and tokens of one second are
// renewed. Nobody notices: no request fails, and nobody signs in again, not even without a password.
func TestRestart(t *testing.T) {
	t.Parallel()
	for name, newStore := range map[string]func(*testing.T) string{
		"sqlite": func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "sessions.db") },
		"redis":  startRedis,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := startOffice(t, time.Second)
			before, after := keyFiles(t)
			args := o.args("-store", newStore(t), "-session-keys-file")
			one, two := start(t, append(args, before)...), start(t, append(args, before)...)
			browser := newBrowser(t)
			if got := post(t.Context(), browser, one.site+"/sign-in", traderForm); got != http.StatusSeeOther {
				t.Fatalf("the sign-in is answered %d", got)
			}
			f := flow(t, browser, one.site, two.site)
			f.renewals(o)
			f.leave(one)
			f.renewals(o)
			f.join(start(t, append(args, after)...))
			f.renewals(o)
			f.leave(two)
			f.renewals(o)
			f.join(start(t, append(args, after)...))
			f.stop()
			if len(f.wrong) > 0 {
				t.Errorf("of %v requests, %d failed: %v", f.answered, len(f.wrong), f.wrong)
			}
			if n := o.Grants("authorization_code"); n != 1 {
				t.Errorf("signed in %d times", n)
			}
			if got := o.Grants("refresh_token"); refused(o) > 0 {
				t.Errorf("%d of %d refresh requests were refused", refused(o), got)
			}
		})
	}
}

func refused(o *office) int {
	n := 0
	for _, r := range o.Requests(identitytest.EndpointToken) {
		if r.Status != http.StatusOK && r.Status != 0 {
			n++
		}
	}
	return n
}

// req 131: a renewal under way, for which nobody waits, is finished before the end: the refresh token is spent, and its
// successor is stored.
func TestStopFinishesRenewals(t *testing.T) {
	t.Parallel()
	o := startOffice(t, time.Second)
	args := o.args("-store", "sqlite:"+filepath.Join(t.TempDir(), "sessions.db"), "-session-keys-file", newKeys(t))
	d := start(t, args...)
	browser := newBrowser(t)
	if got := post(t.Context(), browser, d.site+"/sign-in", traderForm); got != http.StatusSeeOther {
		t.Fatalf("the sign-in is answered %d", got)
	}
	arrived, pass := o.hold()
	until(t, "an early renewal", func() bool {
		select {
		case <-arrived:
			return true
		default:
			_ = get(t.Context(), browser, d.site+"/account/token")
			return false
		}
	})
	d.end(nil)
	until(t, "no more listening", d.refuses)
	pass()
	d.stop()
	if n := o.Grants("refresh_token"); n != 1 || refused(o) > 0 {
		t.Errorf("%d refresh requests, %d refused", n, refused(o))
	}
	if got := get(t.Context(), browser, start(t, args...).site+"/account/token"); got != http.StatusOK {
		t.Errorf("after the restart the session is answered %d", got)
	}
	if n := o.Grants("authorization_code"); n != 1 || refused(o) > 0 {
		t.Errorf("signed in %d times; %d token requests refused", n, refused(o))
	}
}
