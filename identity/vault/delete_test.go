package vault_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/vault"
)

// field 47: of callers in three processes that delete an entry at the same time,
// exactly one gets it. The others find none.
func TestDeleteHandsTheEntryOutOnce(t *testing.T) {
	inCluster(t, 3, func(c *cluster, p *process) {
		p.signIn("k")
		for _, p := range c.processes {
			p.link.pause(time.Second)
		}
		var got, none atomic.Int64
		var callers sync.WaitGroup
		for i := range 12 {
			callers.Go(func() {
				e, err := c.processes[i%3].vault.Delete(c.Context(), "k")
				switch {
				case errors.Is(err, vault.ErrNotFound):
					none.Add(1)
				case err == nil && e.Token != nil:
					got.Add(1)
				default:
					c.Errorf("Delete = %v, %v, want the entry or ErrNotFound", e.Token != nil, err)
				}
			})
		}
		callers.Wait()
		if got.Load() != 1 || none.Load() != 11 {
			c.Errorf("%d callers got the entry and %d found none, want 1 and 11", got.Load(), none.Load())
		}
		for _, p := range c.processes {
			p.wantErr("k", vault.ErrNotFound)
		}
		if err := p.vault.Put(c.Context(), "k", vault.Entry{Client: "spa", Token: p.login()}); !errors.Is(err, vault.ErrNotFound) {
			c.Errorf("Put of a deleted key = %v, want %v", err, vault.ErrNotFound)
		}
	})
}

// A renewal in another process that comes between the read and the mark of a
// deletion is not lost: Delete returns the newest token, which the caller revokes.
func TestDeleteDuringARenewalElsewhere(t *testing.T) {
	inCluster(t, 2, func(c *cluster, p *process) {
		p.signInExpired(true)
		p.link.pause(time.Second)
		var renewed *oauth2.Token
		var other sync.WaitGroup
		other.Go(func() { renewed = c.processes[1].token("k") })
		e, err := p.vault.Delete(c.Context(), "k")
		other.Wait()
		if err != nil || e.Token == nil || e.Token.RefreshToken != renewed.RefreshToken {
			c.Errorf("Delete = the renewed token %t, %v, want it", e.Token != nil && e.Token.RefreshToken == renewed.RefreshToken, err)
		}
		synctest.Wait() // for the watch
		c.processes[1].wantErr("k", vault.ErrNotFound)
	})
}

// Of an entry whose deletion did not finish no token is served, not even from
// memory. field 47
func TestUnfinishedDeleteServesNoToken(t *testing.T) {
	inCluster(t, 2, func(c *cluster, p *process) {
		p.signIn("k")
		p.link.cutDeletes(errCut)
		c.wantUnavailable(errOf(p.vault.Delete(c.Context(), "k")))
		for range 2 { // the second time from memory
			for _, p := range c.processes {
				p.wantErr("k", vault.ErrNotFound)
			}
		}
	})
}

// A renewal that reads the mark of a deletion sends nothing: the caller of Delete
// revokes the token.
func TestRenewalFindsADeletionUnderWay(t *testing.T) {
	inCluster(t, 2, func(c *cluster, p *process) {
		p.signInExpired(true)
		other := c.processes[1]
		other.link.pause(time.Second) // its lease comes too late, so it reads the entry again
		done := make(chan error, 1)
		go func() { done <- errOf(other.vault.Token(c.Context(), "k")) }()
		pass(500 * time.Millisecond)
		p.link.cutDeletes(errCut)
		c.wantUnavailable(errOf(p.vault.Delete(c.Context(), "k")))
		if err := <-done; !errors.Is(err, vault.ErrNotFound) {
			c.Errorf("Token = %v, want %v", err, vault.ErrNotFound)
		}
		c.wantRefreshes(0)
	})
}

// field 47: a process that stops in the middle of a deletion leaves no entry
// that another process serves, renews or replaces.
func TestStoppedDuringDelete(t *testing.T) {
	inCluster(t, 2, func(c *cluster, p *process) {
		p.signInExpired(true)
		p.link.cutDeletes(errCut) // its first write, the mark, succeeds
		c.wantUnavailable(errOf(p.vault.Delete(c.Context(), "k")))
		for _, p := range c.processes {
			p.wantErr("k", vault.ErrNotFound)
		}
		c.wantRefreshes(0)
		e := vault.Entry{Owner: "trader", Client: "spa", Token: p.login()}
		if err := c.processes[1].vault.Put(c.Context(), "k", e); !errors.Is(err, vault.ErrNotFound) {
			c.Errorf("Put = %v, want %v", err, vault.ErrNotFound)
		}
		other := c.processes[1].vault
		if _, err := other.Delete(c.Context(), "k"); !errors.Is(err, vault.ErrNotFound) {
			c.Errorf("Delete again = %v, want %v", err, vault.ErrNotFound)
		}
		pass(10 * time.Second)
		if e, err := other.Delete(c.Context(), "k"); err != nil || e.Token == nil {
			c.Errorf("Delete after ten seconds = %v, want the entry with its token", err)
		}
	})
}
