package vault_test

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/vault"
)

// req 126: observers learn how long callers waited for a renewal, how long the
// renewal waited for another process's lease, and what is live.
func TestObservers(t *testing.T) {
	inCluster(t, 2, func(c *cluster, p *process) {
		other := c.processes[1]
		p.signInExpired(false)
		c.fault(identitytest.Fault{DelayBefore: 5 * time.Second})
		go func() { _ = p.tokenErr("k") }() // takes the lease
		synctest.Wait()
		var callers sync.WaitGroup
		for range 3 {
			callers.Go(func() {
				if err := other.tokenErr("k"); err != nil {
					c.Errorf("Token = %v, want a token", err)
				}
			})
		}
		callers.Wait()
		synctest.Wait()
		if len(other.waits) != 3 || other.waits[0] != (vault.Wait{Client: "spa", Duration: 5 * time.Second}) {
			c.Errorf("waits %+v, want 3 of 5 s", other.waits)
		}
		if r := other.renewals; len(r) != 1 || r[0].Result != vault.Joined || r[0].LeaseWait != 5*time.Second {
			c.Errorf("renewals %+v, want one Joined that waited 5 s for the lease", r)
		}
		if r := p.renewals; len(r) != 1 || r[0].Result != vault.Renewed || r[0].LeaseWait != 0 || r[0].Err != nil || r[0].Owner != "trader" {
			c.Errorf("the holder's renewals %+v, want one Renewed of trader without a wait", r)
		}
		if live := other.vault.Live(); len(live) != 1 || live["spa"] != 1 {
			c.Errorf("Live = %v, want 1 of spa", live)
		}
		c.server.RevokeTokens("trader@example.com")
		pass(31 * time.Second)
		other.wantErr("k", vault.ErrEnded)
		synctest.Wait()
		if last := other.waits[len(other.waits)-1]; !errors.Is(last.Err, vault.ErrEnded) {
			c.Errorf("the last wait is %+v, want one that got %v", last, vault.ErrEnded)
		}
		if live := other.vault.Live(); len(live) != 0 {
			c.Errorf("Live after the end = %v, want nothing", live)
		}
	})
}

// field 12: a process whose clock is ahead keeps entries in memory until they
// expire by the store's clock.
func TestSweepReckonsByTheStoresClock(t *testing.T) {
	inCluster(t, 1, func(c *cluster, _ *process) {
		ahead := func() time.Time { return time.Now().Add(2 * time.Hour) }
		p := c.start(func(config *vault.Config) { config.Now, config.Store = ahead, c.disk }) // the link has no clock
		synctest.Wait()                                                                       // for the first look at the clocks
		until := ahead().Add(time.Hour)
		if err := p.vault.Put(p.Context(), "k", vault.Entry{Owner: "o", Client: "spa", Token: &oauth2.Token{AccessToken: "a"}, Until: until}); err != nil {
			c.Fatal(err)
		}
		p.token("k")
		pass(20 * time.Minute)
		if live := p.vault.Live(); live["spa"] != 1 {
			c.Errorf("Live after 20 minutes of an hour = %v, want 1 of spa", live)
		}
		pass(41 * time.Minute)
		if live := p.vault.Live(); len(live) != 0 {
			c.Errorf("Live after the hour = %v, want nothing", live)
		}
	})
}
