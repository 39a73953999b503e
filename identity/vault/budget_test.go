package vault_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/vault"
)

// inBudget runs f in a cluster whose processes may each use a token that often.
// Each has used the first token once.
func inBudget(t *testing.T, processes, uses int, f func(c *cluster, p *process)) {
	t.Helper()
	inCluster(t, processes, func(c *cluster, p *process) {
		for _, p := range c.processes {
			p.maxUses = uses
		}
		p.signInExpired(false)
		c.wantLiveToken(1, 0)
		pass(time.Second) // access tokens of the same second are equal
		f(c, p)
	})
}

// use returns the token the given number of times, which must take no time.
func (p *process) use(times int) *oauth2.Token {
	p.Helper()
	began := time.Now()
	var token *oauth2.Token
	for range times {
		token = p.token("k")
	}
	if took := time.Since(began); took != 0 {
		p.Errorf("%d calls of Token took %v, want no time", times, took)
	}
	return token
}

// From two thirds of the budget on a renewal is under way. No caller waits
// before the budget is spent.
func TestBudgetIsRenewedAhead(t *testing.T) {
	inBudget(t, 1, 30, func(c *cluster, p *process) {
		for generation := 1; generation < 4; generation++ {
			c.fault(identitytest.Fault{DelayBefore: 5 * time.Second})
			first := p.use(18)
			c.wantRequests(generation, 0)
			p.use(1) // with the one before, two thirds
			c.wantRequests(generation+1, 0)
			if last := p.use(10); !same(first, last) {
				c.Fatal("Token returns another token within the budget, want the same")
			}
			began := time.Now()
			next, err := p.vault.Token(c.Context(), "k")
			if err != nil || same(first, next) || time.Since(began) != 5*time.Second {
				c.Fatalf("beyond the budget, Token = %v after %v, the same token: %v, want the successor after 5 s", err, time.Since(began), same(first, next))
			}
			c.wantRequests(generation+1, 0)
		}
	})
}

// Each token is used as often as it may be, however many callers come at once,
// and each budget costs one renewal. I1
func TestBudgetsOfManyCallers(t *testing.T) {
	for _, k := range []struct{ processes, tokens, refreshes int }{
		{1, 7, 8}, // 6 × 30 and 20, which is two thirds of the next
		{2, 4, 4}, // 3 × 60 and 20, of each process 10
	} {
		inCluster(t, k.processes, func(c *cluster, p *process) {
			for _, p := range c.processes {
				p.maxUses = 30
			}
			p.signInExpired(false)
			c.fault(identitytest.Fault{DelayBefore: time.Second, Times: -1})
			var (
				all    sync.WaitGroup
				mu     sync.Mutex
				tokens = map[string]bool{}
				uses   = make([]map[string]int, k.processes)
			)
			for i := range 200 {
				all.Go(func() {
					token, err := c.processes[i%k.processes].vault.Token(c.Context(), "k")
					if err != nil {
						c.Error(err)
						return
					}
					mu.Lock()
					defer mu.Unlock()
					if uses[i%k.processes] == nil {
						uses[i%k.processes] = map[string]int{}
					}
					uses[i%k.processes][token.RefreshToken]++
					tokens[token.RefreshToken] = true
				})
			}
			all.Wait()
			for process, counts := range uses {
				for _, n := range counts {
					if n > 30 {
						c.Errorf("process %d used a token %d times, want at most 30", process, n)
					}
				}
			}
			if len(tokens) != k.tokens {
				c.Errorf("%d tokens for 200 uses in %d processes, want %d", len(tokens), k.processes, k.tokens)
			}
			c.wantRequests(k.refreshes, 0)
		})
	}
}

// A token that Renew returns counts as used.
func TestBudgetCountsRenewedTokens(t *testing.T) {
	inBudget(t, 1, 30, func(c *cluster, p *process) {
		first := p.use(1)
		second, err := p.vault.Renew(c.Context(), "k", first) // its first use
		if err != nil || same(first, second) {
			c.Fatalf("Renew = %v, the same token: %v, want another", err, same(first, second))
		}
		for range 18 {
			if token, err := p.vault.Renew(c.Context(), "k", first); err != nil || !same(token, second) {
				c.Fatalf("Renew of an old token = %v, want the current token", err)
			}
		}
		c.wantRequests(2, 0)
		p.use(1)
		c.wantRequests(3, 0)
	})
}

// While the token endpoint fails, a live token serves beyond its budget, and the
// pauses grow.
func TestBudgetOutlivesAnOutageOfTheServer(t *testing.T) {
	inBudget(t, 1, 6, func(c *cluster, p *process) {
		c.fault(identitytest.Fault{Status: 503, Times: -1})
		first := p.use(1)
		for range 100 {
			if token := p.use(3); !same(token, first) {
				c.Fatal("Token returns another token, want the live one")
			}
			pass(100 * time.Millisecond)
		}
		if n := c.server.Grants("refresh_token"); n < 4 || n > 6 {
			c.Errorf("%d refresh requests in ten seconds, want 3 to 5", n-1)
		}
		before := c.server.Grants("refresh_token")
		c.server.ClearFaults()
		pass(12 * time.Second) // beyond the pause, within the life
		if token := p.use(1); same(token, first) {
			c.Error("Token returns the old token after the outage, want its successor")
		}
		c.wantRequests(before+1, 0)

		c.fault(identitytest.Fault{Status: 503, Times: -1})
		p.use(10)
		pass(31 * time.Second)
		_ = c.wantUnavailable(p.tokenErr("k"))
	})
}

// A token endpoint that hangs keeps callers waiting no longer than MaxWait.
func TestBudgetOutlivesAServerThatHangs(t *testing.T) {
	inCluster(t, 1, func(c *cluster, _ *process) {
		p := c.start(func(config *vault.Config) { config.MaxWait = 2 * time.Second })
		p.maxUses = 3
		first := p.signIn("k")
		c.server.Inject(identitytest.EndpointToken, identitytest.Fault{DelayBefore: time.Hour, Times: -1})
		began := time.Now()
		for range 5 {
			if token := p.token("k"); !same(token, first) {
				c.Fatal("Token returns another token, want the first")
			}
		}
		want := vault.Wait{Client: "spa", Duration: 2 * time.Second}
		if time.Since(began) != 4*time.Second || len(p.waits) != 2 || p.waits[0] != want || p.waits[1] != want {
			c.Errorf("after %v, waits %+v, want two of 2 s", time.Since(began), p.waits)
		}
		c.wantRefreshes(1)
	})
}

// Beyond the budget, a caller whose token was refused does not get it again.
func TestBudgetReturnsNoRefusedToken(t *testing.T) {
	inBudget(t, 1, 3, func(c *cluster, p *process) {
		c.fault(identitytest.Fault{Status: 503, Times: -1})
		first := p.use(5)
		for range 3 {
			_ = c.wantUnavailable(errOf(p.vault.Renew(c.Context(), "k", first)))
			pass(3 * time.Second)
		}
	})
}

// Reading the record again, after an interruption of the watch or another
// process's renewal, does not renew the budget.
func TestBudgetIsKeptWhenTheRecordIsReadAgain(t *testing.T) {
	inBudget(t, 2, 30, func(c *cluster, p *process) {
		other := c.processes[1]
		p.use(14)
		p.link.interrupt()
		p.use(1)
		p.link.resume()
		p.use(1)
		c.fault(identitytest.Fault{Status: 503})
		_ = c.wantUnavailable(errOf(other.vault.Renew(c.Context(), "k", other.use(1))))
		c.wantRequests(2, 0)
		reads := p.link.reads
		p.use(2)
		if p.link.reads != reads+1 {
			c.Fatalf("%d reads of the record, want 1", p.link.reads-reads)
		}
		c.wantRequests(2, 0)
		p.use(1)
		c.wantRequests(3, 0)
	})
}

// A successor that another process made has its whole budget in this one.
func TestBudgetOfASuccessorFromElsewhere(t *testing.T) {
	inBudget(t, 2, 30, func(c *cluster, p *process) {
		other := c.processes[1]
		first := other.use(18)
		p.use(19)
		c.wantRequests(2, 0)
		if next := other.use(19); same(next, first) {
			c.Error("Token returns the old token, want the successor")
		}
		c.wantRequests(2, 0)
		other.use(1)
		c.wantRequests(3, 0)
	})
}

// After a sign-out that was not reported to this process, a waiting caller gets
// no token, though the old one is alive. I6
func TestBudgetEndsWithTheEntry(t *testing.T) {
	inBudget(t, 2, 3, func(c *cluster, p *process) {
		other := c.processes[1]
		other.link.interrupt()
		c.fault(identitytest.Fault{DelayBefore: 2 * time.Second, Status: 503})
		other.use(2)
		waiting := make(chan error)
		go func() { waiting <- other.tokenErr("k") }()
		pass(time.Second)
		if _, err := p.vault.Delete(c.Context(), "k"); err != nil {
			c.Fatal(err)
		}
		if err := <-waiting; !errors.Is(err, vault.ErrNotFound) {
			c.Errorf("Token = %v, want %v", err, vault.ErrNotFound)
		}
	})
}

// A token that does not expire is renewed by its budget.
func TestBudgetOfATokenWithoutExpiry(t *testing.T) {
	inBudget(t, 1, 6, func(c *cluster, p *process) {
		endless := *p.use(1)
		endless.Expiry = time.Time{}
		p.put("k", "spa", &endless, nil)
		p.use(3)
		c.wantRequests(1, 0)
		p.use(1)
		c.wantRequests(2, 0)
	})
}
