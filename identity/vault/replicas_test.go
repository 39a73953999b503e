package vault_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/vault"
)

var errCut = errors.New("cut")

// req 47, 48, 49, 52: 120 callers in three processes cause one refresh request,
// however slow the server. I1, I2
func TestOneRenewalForAnyNumberOfProcesses(t *testing.T) {
	for _, delay := range []time.Duration{0, 3 * time.Second, 12 * time.Second, 40 * time.Second} {
		inCluster(t, 3, func(c *cluster, p *process) {
			p.signInExpired(false)
			c.fault(identitytest.Fault{DelayAfter: delay})
			var callers sync.WaitGroup
			for i := range 120 {
				callers.Go(func() {
					if token, err := c.processes[i%3].vault.Token(c.Context(), "k"); err != nil || time.Until(token.Expiry) < 0 && delay < 30*time.Second {
						c.Errorf("answer after %v: Token = %v, want a live token", delay, err)
					}
				})
			}
			callers.Wait()
			synctest.Wait()
			if n := c.server.Grants("refresh_token"); delay < 30*time.Second && n != 1 || n > 2 {
				c.Errorf("answer after %v: %d refresh requests, want 1, or 2 if the token comes expired", delay, n)
			}
		})
	}
}

// req 54: the renewal repeats a request that was not sent.
func TestNotSent(t *testing.T) {
	inCluster(t, 1, func(c *cluster, p *process) {
		p.signInExpired(false)
		p.network.refusals = 2
		c.wantLiveToken(1, 0)
	})
}

// req 54: without an answer, the renewal asks once more. Here the first request
// was lost.
func TestLostRequest(t *testing.T) {
	inCluster(t, 2, func(c *cluster, p *process) {
		p.signInExpired(false)
		c.fault(identitytest.Fault{LoseRequest: true})
		c.wantLiveToken(2, 0)
	})
}

// Here the answer was lost: the refresh token is used up, and the State brings
// new tokens. I4
func TestLostAnswer(t *testing.T) {
	inCluster(t, 2, func(c *cluster, p *process) {
		p.signInExpired(true)
		c.fault(identitytest.Fault{LoseAnswer: true})
		c.wantLiveToken(2, 1)
		pass(31 * time.Second)
		c.wantLiveToken(3, 1)
	})
}

// req 56, 62: without a State the entry ends, and no more calls are made. I8
func TestLostAnswerWithoutState(t *testing.T) {
	inCluster(t, 2, func(c *cluster, p *process) {
		p.signInExpired(false)
		c.fault(identitytest.Fault{LoseAnswer: true})
		for range 3 {
			for _, p := range c.processes {
				p.wantErr("k", vault.ErrEnded)
			}
			pass(time.Minute)
		}
		c.wantRequests(2, 0)
	})
}

// A resumption that fails for a moment is tried again.
func TestResumptionIsTriedAgain(t *testing.T) {
	inCluster(t, 1, func(c *cluster, p *process) {
		p.signInExpired(true)
		c.fault(identitytest.Fault{LoseAnswer: true})
		c.server.Inject(identitytest.EndpointAuthorize, identitytest.Fault{Status: 503})
		c.wantUnavailable(p.tokenErr("k"))
		pass(20 * time.Second)
		c.wantLiveToken(3, 2)
	})
}

// The entry ends if the IdentityServer's session has ended as well.
func TestResumptionRefused(t *testing.T) {
	inCluster(t, 1, func(c *cluster, p *process) {
		p.signInExpired(true)
		c.server.RevokeTokens("trader@example.com")
		c.server.EndSessions("trader@example.com")
		p.wantErr("k", vault.ErrEnded)
	})
}

// A process dies right after the server answered. Another takes the lease over
// when it has run out. I4
func TestCrashBeforeTheSuccessorIsStored(t *testing.T) {
	inCluster(t, 2, func(c *cluster, p *process) {
		other := c.processes[1]
		p.signInExpired(true)
		c.fault(identitytest.Fault{DelayAfter: 2 * time.Second})
		go func() { _ = p.tokenErr("k") }()
		pass(time.Second)
		p.link.cut(errCut)
		if token := other.token("k"); time.Until(token.Expiry) <= 0 {
			c.Errorf("the token lives %v, want a live one", time.Until(token.Expiry))
		}
		c.wantRequests(2, 1)
		p.link.cut(nil)
		c.wantLiveToken(2, 1) // the late successor does not replace newer tokens (I7)
		pass(6 * time.Second)
		c.wantRevoked(1, 0) // the State belongs to the newer tokens
	})
}

// The process that takes over may send a refresh token that was sent before. It
// does not send it a third time in the same renewal.
func TestTakeOverAsksOnce(t *testing.T) {
	inCluster(t, 2, func(c *cluster, p *process) {
		p.signInExpired(true)
		c.fault(identitytest.Fault{DelayAfter: 2 * time.Second})
		go func() { _ = p.tokenErr("k") }()
		pass(time.Second)
		p.link.cut(errCut)
		pass(2 * time.Second)
		c.fault(identitytest.Fault{LoseRequest: true})
		c.wantUnavailable(c.processes[1].tokenErr("k"))
		c.wantRefreshes(2)
	})
}

// A process is paused beyond its lease while the answer is on its way. The
// process that takes over is refused, waits, and finds the successor stored.
func TestPausedHolder(t *testing.T) {
	inCluster(t, 2, func(c *cluster, p *process) {
		p.signInExpired(false)
		c.fault(identitytest.Fault{DelayAfter: 15 * time.Second})
		paused := make(chan error)
		go func() { paused <- p.tokenErr("k") }()
		pass(time.Second)
		p.link.pause(16 * time.Second)
		if err := c.processes[1].tokenErr("k"); err != nil {
			c.Errorf("in the process that takes over, Token = %v, want a token", err)
		}
		if err := <-paused; err != nil {
			c.Errorf("in the paused process, Token = %v, want a token", err)
		}
		c.wantLiveToken(2, 0)
	})
}

// The pause may be so long that another process ends the entry. The successor
// then revives it.
func TestVeryLongPause(t *testing.T) {
	inCluster(t, 2, func(c *cluster, p *process) {
		p.signInExpired(false)
		c.fault(identitytest.Fault{DelayAfter: 2 * time.Second})
		go func() { _ = p.tokenErr("k") }()
		pass(time.Second)
		p.link.pause(50 * time.Second)
		c.processes[1].wantErr("k", vault.ErrEnded)
		pass(time.Minute) // the caller that still waits gets a third token, and now a fourth is due
		_ = p.token("k")
		synctest.Wait() // for a renewal in the background
		c.wantLiveToken(4, 0)
	})
}

// req 51: the store fails when the successor comes. No caller gets it before
// it is stored, and the vault tries until it is. I5
func TestSuccessorOutlivesAnOutageOfTheStore(t *testing.T) {
	inCluster(t, 1, func(c *cluster, p *process) {
		p.signInExpired(false)
		c.fault(identitytest.Fault{DelayAfter: 2 * time.Second})
		go func() { _ = p.tokenErr("k") }()
		pass(time.Second)
		p.link.cut(errCut)
		ctx, cancel := context.WithTimeout(c.Context(), 10*time.Second)
		defer cancel()
		if _, err := p.vault.Token(ctx, "k"); !errors.Is(err, context.DeadlineExceeded) {
			c.Errorf("Token before the successor is stored = %v, want %v", err, context.DeadlineExceeded)
		}
		p.link.cut(nil)
		pass(6 * time.Second)
		c.wantLiveToken(1, 0)
	})
}

// field 65: Close waits for the store while its context allows it. Then a new
// token is lost, and the log says whether the entry can be resumed.
func TestCloseDuringAnOutageOfTheStore(t *testing.T) {
	for _, c := range []struct {
		back  time.Duration // until the store is back
		lost  int
		state bool
	}{{80 * time.Second, 0, false}, {time.Hour, 1, false}, {time.Hour, 1, true}} {
		inCluster(t, 1, func(c2 *cluster, p *process) {
			p.signInExpired(c.state)
			c2.fault(identitytest.Fault{DelayAfter: 2 * time.Second})
			go func() { _ = p.tokenErr("k") }()
			pass(time.Second)
			p.link.cut(errCut)
			ctx, cancel := context.WithTimeout(c2.Context(), 100*time.Second)
			defer cancel()
			time.AfterFunc(c.back, func() { p.link.cut(nil) })
			err := p.vault.Close(ctx)
			if wantErr := c.lost > 0; (err != nil) != wantErr {
				c2.Errorf("store back after %v: Close = %v, want an error %v", c.back, err, wantErr)
			}
			synctest.Wait()
			text := fmt.Sprintf("a new token is lost: it could not be stored before the vault closed\" client=spa resumable=%v", c.state)
			if n := strings.Count(c2.log.String(), text); n != c.lost {
				c2.Errorf("store back after %v: the log says %q %d times, want %d: %s", c.back, text, n, c.lost, c2.log.String())
			}
		})
	}
}

// req 80: a store that fails says nothing about an entry. I5
func TestStoreOutage(t *testing.T) {
	inCluster(t, 2, func(c *cluster, p *process) {
		p.signInExpired(false)
		for _, p := range c.processes {
			p.link.cut(errCut)
		}
		for range 5 {
			for _, p := range c.processes {
				for _, err := range []error{p.tokenErr("k"), errOf(p.vault.Delete(c.Context(), "k")), errOf(p.vault.DeleteOwner(c.Context(), "trader"))} {
					if c.wantUnavailable(err); !errors.Is(err, store.ErrUnavailable) {
						c.Errorf("got %v, want the store's fault", err)
					}
				}
			}
			pass(20 * time.Second)
		}
		for _, p := range c.processes {
			p.link.cut(nil)
		}
		pass(20 * time.Second)
		c.wantLiveToken(1, 0)
	})
}

// req 77, 78: a sign-out in one process ends the entry in all of them, with
// renewals under way and streams. I6
func TestSignOutEverywhereAtOnce(t *testing.T) {
	inCluster(t, 2, func(c *cluster, p *process) {
		other := c.processes[1]
		p.signInExpired(true)
		done, stop, err := other.vault.Done(c.Context(), "k")
		if err != nil {
			c.Fatal(err)
		}
		defer stop()
		c.fault(identitytest.Fault{DelayAfter: 5 * time.Second})
		slow := make(chan error)
		go func() { slow <- other.tokenErr("k") }()
		synctest.Wait()
		if e, err := p.vault.Delete(c.Context(), "k"); err != nil || e.Token != nil || e.State == nil {
			c.Errorf("Delete during a renewal = token %v, State %v, %v, want only the State", e.Token != nil, e.State != nil, err)
		}
		if !isClosed(done) {
			c.Error("a stream in the other process does not learn of the sign-out")
		}
		if err := <-slow; !errors.Is(err, vault.ErrNotFound) {
			c.Errorf("the request that waits for the renewal got %v, want %v", err, vault.ErrNotFound)
		}
		pass(6 * time.Second)
		for _, p := range c.processes {
			p.wantErr("k", vault.ErrNotFound)
		}
		c.wantRevoked(1, 1)
		if err := p.vault.Put(c.Context(), "k", vault.Entry{Client: "spa", Token: &oauth2.Token{AccessToken: "a"}}); !errors.Is(err, vault.ErrNotFound) {
			c.Errorf("Put under a deleted key = %v, want %v", err, vault.ErrNotFound)
		}
	})
}

// Reading costs no call of the store while nothing changed.
func TestReadsComeFromMemory(t *testing.T) {
	inCluster(t, 2, func(c *cluster, p *process) {
		p.signInExpired(false)
		c.wantLiveToken(1, 0)
		link := c.processes[1].link
		before := link.reads
		for range 1000 {
			c.processes[1].token("k")
		}
		if n := link.reads - before; n != 0 {
			c.Errorf("%d reads of the store for 1000 tokens, want 0", n)
		}
	})
}
