package e2e

import (
	"net/http"
	"net/url"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"b2trader.identity.auth/identity/store/storetest/servers"
)

// trust is how long a process answers from memory after the last sign of life
// of its store.
const trust = time.Second

// stoppedReplica stops a process for longer than trust. Another process signs
// the session out meanwhile. Of the calls that are sent afterwards, the stopped
// process answers none.
func stoppedReplica(t *testing.T, store string) { // field 41
	f := newFleet(t, newSecrets(t), store)
	b := f.browser()
	account := b.signIn(trader, "spa").want(http.StatusOK, "/account")
	old := b.clone()
	f.wantAlive(b) // both processes have the session in memory
	stopped := f.demos[1]
	stopped.signal(syscall.SIGSTOP)
	t.Cleanup(func() { _ = stopped.process.Process.Signal(syscall.SIGCONT) })
	<-time.After(trust)
	account.submit("/sign-out", "Sign out").want(http.StatusOK, "/sign-in")
	var all sync.WaitGroup
	for i := range 40 { // they wait for the process
		at, path := old.at(stopped), []string{apiCall, "/session"}[i%2]
		all.Go(func() {
			if p, err := at.try(at.fetching(path)); err != nil || p.status != http.StatusUnauthorized {
				t.Errorf("GET %s after the sign-out = %v, %v, want 401", path, p, err)
			}
		})
	}
	<-time.After(100 * time.Millisecond) // most have been sent
	stopped.signal(syscall.SIGCONT)
	all.Wait()
}

// cutOffReplica silences the way of a process to its store. Another process
// signs the session out meanwhile. The process knows no more whether the session
// is there, and answers 503.
func cutOffReplica(t *testing.T, store string) { // field 41
	f := newFleet(t, newSecrets(t), store)
	at := must(url.Parse(store))(t)
	relay := servers.StartRelay(t, at.Host)
	at.Host = relay.Addr
	flags := f.flags
	f.flags = append(slices.Clone(flags), "-store", at.String())
	f.restart(1)
	b := f.browser()
	account := b.signIn(trader, "spa").want(http.StatusOK, "/account")
	old := b.clone()
	f.wantAlive(b)
	relay.Silence()
	t.Cleanup(relay.Speak)
	account.submit("/sign-out", "Sign out").want(http.StatusOK, "/sign-in")
	<-time.After(trust)
	for _, path := range []string{apiCall, "/session"} {
		old.at(f.demos[1]).fetch(path).wantUnavailable()
	}
}
