package vault_test

import (
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/vault"
)

// While the watch is interrupted, changes by other processes are not reported,
// so nothing is answered from memory.
func TestInterruptedWatch(t *testing.T) {
	inCluster(t, 2, func(c *cluster, p *process) {
		other := c.processes[1]
		p.signInExpired(false)
		c.wantLiveToken(1, 0)
		other.link.interrupt()
		if _, err := p.vault.Delete(c.Context(), "k"); err != nil {
			c.Fatal(err)
		}
		other.wantErr("k", vault.ErrNotFound)
	})
}

// Streams learn of a sign-out as soon as the watch is up again.
func TestStreamsLearnOfASignOutAfterAnInterruption(t *testing.T) {
	inCluster(t, 2, func(c *cluster, p *process) {
		other := c.processes[1]
		p.signInExpired(false)
		c.wantLiveToken(1, 0)
		done, stop, err := other.vault.Done(c.Context(), "k")
		if err != nil {
			c.Fatal(err)
		}
		defer stop()
		other.link.interrupt()
		if _, err := p.vault.Delete(c.Context(), "k"); err != nil {
			c.Fatal(err)
		}
		if isClosed(done) {
			c.Fatal("the sign-out was reported during the interruption")
		}
		other.link.resume()
		if !isClosed(done) {
			c.Error("the sign-out was not reported after the interruption")
		}
	})
}

// A stream keeps its entry in memory: an idle one is not forgotten before it
// learns of the sign-out.
func TestIdleStreamsLearnOfASignOut(t *testing.T) {
	inCluster(t, 2, func(c *cluster, p *process) {
		other := c.processes[1]
		p.signInExpired(false)
		c.wantLiveToken(1, 0)
		done, stop, err := other.vault.Done(c.Context(), "k")
		if err != nil {
			c.Fatal(err)
		}
		defer stop()
		pass(time.Hour)
		if live := p.vault.Live(); len(live) != 0 {
			c.Errorf("Live without a stream after an hour = %v, want nothing", live)
		}
		if _, err := p.vault.Delete(c.Context(), "k"); err != nil {
			c.Fatal(err)
		}
		if !isClosed(done) {
			c.Error("the sign-out was not reported to an idle stream")
		}
	})
}

// A copy from before an interruption may be out of date after it.
func TestResumedWatch(t *testing.T) {
	inCluster(t, 2, func(c *cluster, p *process) {
		other := c.processes[1]
		p.signInExpired(false)
		c.wantLiveToken(1, 0)
		other.link.interrupt()
		pass(15 * time.Second)
		token, err := p.vault.Renew(c.Context(), "k", p.token("k"))
		if err != nil {
			c.Fatal(err)
		}
		other.link.resume()
		if got := other.token("k"); !same(got, token) {
			c.Error("Token after the interruption returns the old token, want the successor")
		}
		c.wantRequests(2, 0)
	})
}

// A process whose clock is ahead writes an expiry that is too late for others.
func TestClocksThatDiffer(t *testing.T) {
	inCluster(t, 2, func(c *cluster, p *process) {
		synctest.Wait() // for the first look at the clocks
		p.ahead = 10 * time.Minute
		ahead := *p.login()
		ahead.Expiry = ahead.Expiry.Add(10 * time.Minute)
		p.put("k", "spa", &ahead, nil)
		synctest.Wait()
		other := c.processes[1]
		other.token("k")
		pass(20 * time.Second)
		other.link.interrupt()
		other.link.resume()
		other.token("k") // is read again, and no younger for that
		pass(11 * time.Second)
		if got := other.token("k"); same(got, &ahead) {
			c.Error("Token returns the expired token, want its successor")
		}
	})
}
