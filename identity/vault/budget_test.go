package vault_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/vault"
)

// A metered client bounds how often its tokens are used, where the process's line says so.
type metered struct {
	*identity.Client
	line *line
}

func (m metered) MaxUses() int { return m.line.uses }

// budgeted is a street whose processes may each use a token so often. Each has used the first token once.
func budgeted(t *testing.T, processes, uses int, f func(s *street)) {
	t.Helper()
	inStreet(t, processes, func(s *street) {
		for _, l := range s.lines {
			l.uses = uses
		}
		s.signIn(false)
		s.lives(1, 0)
		pass(time.Second) // an access token of the same second is the same
		f(s)
	})
}

// use asks a process for its token so many times, which must take no time, and returns the last.
func (s *street) use(process, times int) *oauth2.Token {
	s.Helper()
	began := time.Now()
	var token *oauth2.Token
	for range times {
		var err error
		if token, err = s.vaults[process].Token(s.Context(), "k"); err != nil {
			s.Fatal(err)
		}
	}
	if took := time.Since(began); took != 0 {
		s.Errorf("%d uses took %v", times, took)
	}
	return token
}

// From two thirds of the budget on a renewal is under way; nobody waits before the budget is spent.
func TestBudgetIsRenewedAhead(t *testing.T) {
	budgeted(t, 1, 30, func(s *street) {
		for generation := 1; generation < 4; generation++ {
			s.fault(identitytest.Fault{DelayBefore: 5 * time.Second})
			first := s.use(0, 18)
			s.took(generation, 0)
			s.use(0, 1) // with the one before, two thirds
			s.took(generation+1, 0)
			if last := s.use(0, 10); !same(first, last) {
				s.Fatal("another token within the budget")
			}
			began := time.Now()
			next, err := s.vaults[0].Token(s.Context(), "k")
			if err != nil || same(first, next) || time.Since(began) != 5*time.Second {
				s.Fatalf("past the budget a caller waited %v, and got the spent token or %v", time.Since(began), err)
			}
			s.took(generation+1, 0)
		}
	})
}

// Each token is used as often as it may be, however many callers come at once, and each budget costs one renewal. I1
func TestBudgetsOfManyCallers(t *testing.T) {
	for _, c := range []struct{ processes, tokens, refreshes int }{
		{1, 7, 8}, // 6 × 30 and 20, which is two thirds of the next
		{2, 4, 4}, // 3 × 60 and 20, of each process 10
	} {
		inStreet(t, c.processes, func(s *street) {
			for _, l := range s.lines {
				l.uses = 30
			}
			s.signIn(false)
			s.fault(identitytest.Fault{DelayBefore: time.Second, Times: -1})
			var (
				all    sync.WaitGroup
				mu     sync.Mutex
				tokens = map[string]bool{}
				uses   = make([]map[string]int, c.processes)
			)
			for i := range 200 {
				all.Go(func() {
					token, err := s.vaults[i%c.processes].Token(s.Context(), "k")
					if err != nil {
						s.Error(err)
						return
					}
					mu.Lock()
					defer mu.Unlock()
					if uses[i%c.processes] == nil {
						uses[i%c.processes] = map[string]int{}
					}
					uses[i%c.processes][token.RefreshToken]++
					tokens[token.RefreshToken] = true
				})
			}
			all.Wait()
			for process, counts := range uses {
				for _, n := range counts {
					if n > 30 {
						s.Errorf("process %d used a token %d times", process, n)
					}
				}
			}
			if len(tokens) != c.tokens {
				s.Errorf("%d tokens for 200 uses in %d processes, want %d", len(tokens), c.processes, c.tokens)
			}
			s.took(c.refreshes, 0)
		})
	}
}

// What Renew returns counts as well.
func TestBudgetCountsRenewedTokens(t *testing.T) {
	budgeted(t, 1, 30, func(s *street) {
		first := s.use(0, 1)
		second, err := s.vaults[0].Renew(s.Context(), "k", first) // its first use
		if err != nil || same(first, second) {
			s.Fatalf("got the refused token, or %v", err)
		}
		for range 18 {
			if token, err := s.vaults[0].Renew(s.Context(), "k", first); err != nil || !same(token, second) {
				s.Fatalf("got a third token, or %v", err)
			}
		}
		s.took(2, 0)
		s.use(0, 1)
		s.took(3, 0)
	})
}

// While the token endpoint fails, the living token serves beyond its budget, and the pauses grow as ever.
func TestBudgetOutlivesAnOutageOfTheServer(t *testing.T) {
	budgeted(t, 1, 6, func(s *street) {
		s.fault(identitytest.Fault{Status: 503, Times: -1})
		first := s.use(0, 1)
		for range 100 {
			if token := s.use(0, 3); !same(token, first) {
				s.Fatal("another token")
			}
			pass(100 * time.Millisecond)
		}
		if n := s.server.Grants("refresh_token"); n < 4 || n > 6 {
			s.Errorf("%d refresh requests in ten seconds", n-1)
		}
		before := s.server.Grants("refresh_token")
		s.server.ClearFaults()
		pass(12 * time.Second) // beyond the pause, within the life
		if token := s.use(0, 1); same(token, first) {
			s.Error("it does not recover")
		}
		s.took(before+1, 0)

		s.fault(identitytest.Fault{Status: 503, Times: -1})
		s.use(0, 10)
		pass(31 * time.Second)
		if err := errOf(s.vaults[0].Token(s.Context(), "k")); !isUnavailable(err) {
			s.Errorf("after the life of the token: %v", err)
		}
	})
}

func isUnavailable(err error) bool {
	_, ok := errors.AsType[*vault.UnavailableError](err)
	return ok
}

// Nor does a token endpoint that hangs keep callers waiting for longer than MaxWait.
func TestBudgetOutlivesAServerThatHangs(t *testing.T) {
	inHouse(t, func(h *house) {
		var waits []vault.Wait
		v, err := vault.New(vault.Config{
			Store: h.store, Keys: []vault.Key{vault.NewKey("own")}, MaxWait: 2 * time.Second,
			Refreshers: map[string]vault.Refresher{"spa": metered{h.client, &line{uses: 3}}},
			OnWait:     func(w vault.Wait) { waits = append(waits, w) },
		})
		if err != nil {
			h.Fatal(err)
		}
		defer func() {
			ctx, cancel := context.WithCancel(h.Context())
			cancel()
			_ = v.Close(ctx)
		}()
		first, err := h.client.Login(h.Context(), "trader@example.com", "trader-password")
		if err != nil {
			h.Fatal(err)
		}
		if err := v.Put(h.Context(), "k", vault.Entry{Owner: "trader", Client: "spa", Token: first}); err != nil {
			h.Fatal(err)
		}
		h.server.Inject(identitytest.EndpointToken, identitytest.Fault{DelayBefore: time.Hour, Times: -1})
		began := time.Now()
		for range 5 {
			if token, err := v.Token(h.Context(), "k"); err != nil || !same(token, first) {
				h.Fatalf("got another token, or %v", err)
			}
		}
		want := vault.Wait{Client: "spa", Duration: 2 * time.Second}
		if time.Since(began) != 4*time.Second || len(waits) != 2 || waits[0] != want || waits[1] != want {
			h.Errorf("after %v, waits %+v, want two of 2 s", time.Since(began), waits)
		}
		h.refreshes(1)
	})
}

// Beyond the budget there is nothing for a caller whose very token was refused.
func TestBudgetReturnsNoRefusedToken(t *testing.T) {
	budgeted(t, 1, 3, func(s *street) {
		s.fault(identitytest.Fault{Status: 503, Times: -1})
		first := s.use(0, 5)
		for range 3 {
			if token, err := s.vaults[0].Renew(s.Context(), "k", first); !isUnavailable(err) {
				s.Errorf("got %v, %v", token != nil, err)
			}
			pass(3 * time.Second)
		}
	})
}

// Reading the record again makes no token less used: after an interruption of the watch, or another process's attempt.
func TestBudgetIsKeptWhenTheRecordIsReadAgain(t *testing.T) {
	budgeted(t, 2, 30, func(s *street) {
		s.use(0, 14)
		s.lines[0].interrupt()
		s.use(0, 1)
		s.lines[0].resume()
		s.use(0, 1)
		s.fault(identitytest.Fault{Status: 503})
		if err := errOf(s.vaults[1].Renew(s.Context(), "k", s.use(1, 1))); !isUnavailable(err) {
			s.Fatal(err)
		}
		s.took(2, 0)
		gets := s.lines[0].gets
		s.use(0, 2)
		if s.lines[0].gets != gets+1 {
			s.Fatal("the record was not read again")
		}
		s.took(2, 0)
		s.use(0, 1)
		s.took(3, 0)
	})
}

// A successor that another process made has its whole budget here.
func TestBudgetOfASuccessorFromElsewhere(t *testing.T) {
	budgeted(t, 2, 30, func(s *street) {
		first := s.use(1, 18)
		s.use(0, 19)
		s.took(2, 0)
		if next := s.use(1, 19); same(next, first) {
			s.Error("the successor is not used")
		}
		s.took(2, 0)
		s.use(1, 1)
		s.took(3, 0)
	})
}

// After a sign-out that this process could not hear of, a caller who waits gets nothing, though the old token lives. I6
func TestBudgetEndsWithTheEntry(t *testing.T) {
	budgeted(t, 2, 3, func(s *street) {
		s.lines[1].interrupt()
		s.fault(identitytest.Fault{DelayBefore: 2 * time.Second, Status: 503})
		s.use(1, 2)
		waiting := make(chan error)
		go func() { waiting <- errOf(s.vaults[1].Token(s.Context(), "k")) }()
		pass(time.Second)
		if _, err := s.vaults[0].Delete(s.Context(), "k"); err != nil {
			s.Fatal(err)
		}
		if err := <-waiting; !errors.Is(err, vault.ErrNotFound) {
			s.Errorf("got %v", err)
		}
	})
}

// A token without an end has one by its budget.
func TestBudgetOfATokenWithoutExpiry(t *testing.T) {
	budgeted(t, 1, 6, func(s *street) {
		endless := *s.use(0, 1)
		endless.Expiry = time.Time{}
		if err := s.vaults[0].Put(s.Context(), "k", vault.Entry{Owner: "trader", Client: "spa", Token: &endless}); err != nil {
			s.Fatal(err)
		}
		s.use(0, 3)
		s.took(1, 0)
		s.use(0, 1)
		s.took(2, 0)
	})
}
