package vault_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/vault"
)

// req 47, 48, 49, 52: 120 callers in three processes, one refresh request, however slow the server. I1, I2
func TestOneRenewalForAnyNumberOfProcesses(t *testing.T) {
	for _, delay := range []time.Duration{0, 3 * time.Second, 12 * time.Second, 40 * time.Second} {
		inStreet(t, 3, func(s *street) {
			s.signIn(false)
			s.fault(identitytest.Fault{DelayAfter: delay})
			var wg sync.WaitGroup
			for i := range 120 {
				wg.Go(func() {
					if token, err := s.vaults[i%3].Token(s.Context(), "k"); err != nil || time.Until(token.Expiry) < 0 && delay < 30*time.Second {
						s.Errorf("after %v: %v", delay, err)
					}
				})
			}
			wg.Wait()
			synctest.Wait()
			if n := s.server.Grants("refresh_token"); delay < 30*time.Second && n != 1 || n > 2 {
				s.Errorf("%v: %d refresh requests", delay, n)
			}
		})
	}
}

// req 54: what was surely not sent is repeated, within the same renewal.
func TestNotSent(t *testing.T) {
	inStreet(t, 1, func(s *street) {
		s.signIn(false)
		s.wires[0].refusals = 2
		s.lives(1, 0)
	})
}

// req 54: no answer, so the server is asked once more; here the first request was lost on its way.
func TestLostRequest(t *testing.T) {
	inStreet(t, 2, func(s *street) {
		s.signIn(false)
		s.fault(identitytest.Fault{LoseRequest: true})
		s.lives(2, 0)
	})
}

// Here the answer was lost: the refresh token is spent, and the IdentityServer's session saves ours. I4
func TestLostAnswer(t *testing.T) {
	inStreet(t, 2, func(s *street) {
		s.signIn(true)
		s.fault(identitytest.Fault{LoseAnswer: true})
		s.lives(2, 1)
		pass(31 * time.Second)
		s.lives(3, 1) // and goes on as before
	})
}

// req 56, 62: without such a session that is the end, and no more calls are made. I8
func TestLostAnswerWithoutState(t *testing.T) {
	inStreet(t, 2, func(s *street) {
		s.signIn(false)
		s.fault(identitytest.Fault{LoseAnswer: true})
		for range 3 {
			for _, v := range s.vaults {
				if _, err := v.Token(s.Context(), "k"); !errors.Is(err, vault.ErrEnded) {
					s.Errorf("got %v", err)
				}
			}
			pass(time.Minute)
		}
		s.took(2, 0)
	})
}

// The resumption may fail for a moment, too.
func TestResumptionIsTriedAgain(t *testing.T) {
	inStreet(t, 1, func(s *street) {
		s.signIn(true)
		s.fault(identitytest.Fault{LoseAnswer: true})
		s.server.Inject(identitytest.EndpointAuthorize, identitytest.Fault{Status: 503})
		if _, ok := errors.AsType[*vault.UnavailableError](errOf(s.vaults[0].Token(s.Context(), "k"))); !ok {
			s.Error("a resumption that failed for a moment ended the entry")
		}
		pass(20 * time.Second)
		s.lives(3, 2)
	})
}

// If the IdentityServer's session is over as well, the entry ends.
func TestResumptionRefused(t *testing.T) {
	inStreet(t, 1, func(s *street) {
		s.signIn(true)
		s.server.RevokeTokens("trader@example.com")
		s.server.EndSessions("trader@example.com")
		if _, err := s.vaults[0].Token(s.Context(), "k"); !errors.Is(err, vault.ErrEnded) {
			s.Errorf("got %v", err)
		}
	})
}

// A process dies right after the server answered. Another takes over when the lease has run out. I4
func TestCrashBeforeTheSuccessorIsStored(t *testing.T) {
	inStreet(t, 2, func(s *street) {
		s.signIn(true)
		s.fault(identitytest.Fault{DelayAfter: 2 * time.Second})
		go func() { _, _ = s.vaults[0].Token(s.Context(), "k") }()
		pass(time.Second)
		s.lines[0].cut(errors.New("dead"))
		token, err := s.vaults[1].Token(s.Context(), "k")
		if err != nil || time.Until(token.Expiry) <= 0 {
			s.Errorf("got %v", err)
		}
		s.took(2, 1)
		s.lines[0].cut(nil)
		s.lives(2, 1) // what the dead process still held is not stored over the newer tokens (I7)
		pass(6 * time.Second)
		if s.states != 0 {
			s.Error("the session that others live by was given to be ended")
		}
		if s.revoked != 1 {
			s.Errorf("%d tokens were revoked, want the one that came too late", s.revoked)
		}
	})
}

// A process stands still beyond its lease, with the answer on its way. The one that takes over is refused, waits
// before it believes that, and finds the successor stored.
func TestPausedHolder(t *testing.T) {
	inStreet(t, 2, func(s *street) {
		s.signIn(false)
		s.fault(identitytest.Fault{DelayAfter: 15 * time.Second})
		first := make(chan error)
		go func() { first <- errOf(s.vaults[0].Token(s.Context(), "k")) }()
		pass(time.Second)
		s.lines[0].stop(16 * time.Second) // its lease runs out, and is taken
		if _, err := s.vaults[1].Token(s.Context(), "k"); err != nil {
			s.Errorf("the process that took over: %v", err)
		}
		if err := <-first; err != nil {
			s.Errorf("the process that stood still: %v", err)
		}
		s.lives(2, 0)
	})
}

// It may stand still for so long that the entry is given up. Then its successor revives it.
func TestVeryLongPause(t *testing.T) {
	inStreet(t, 2, func(s *street) {
		s.signIn(false)
		s.fault(identitytest.Fault{DelayAfter: 2 * time.Second})
		go func() { _, _ = s.vaults[0].Token(s.Context(), "k") }()
		pass(time.Second)
		s.lines[0].stop(50 * time.Second)
		if _, err := s.vaults[1].Token(s.Context(), "k"); !errors.Is(err, vault.ErrEnded) {
			s.Errorf("got %v", err)
		}
		pass(time.Minute) // the caller that still waits gets a third, and now a fourth is due
		_, _ = s.vaults[0].Token(s.Context(), "k")
		synctest.Wait() // it may be renewed in the background
		s.lives(4, 0)
	})
}

// req 51: the store is away when the successor comes. Nobody gets it before it is stored; that is tried until it is. I5
func TestSuccessorOutlivesAnOutageOfTheStore(t *testing.T) {
	inStreet(t, 1, func(s *street) {
		s.signIn(false)
		s.fault(identitytest.Fault{DelayAfter: 2 * time.Second})
		go func() { _, _ = s.vaults[0].Token(s.Context(), "k") }()
		pass(time.Second)
		s.lines[0].cut(errors.New("away"))
		ctx, cancel := context.WithTimeout(s.Context(), 10*time.Second)
		defer cancel()
		if _, err := s.vaults[0].Token(ctx, "k"); !errors.Is(err, context.DeadlineExceeded) {
			s.Errorf("a token was handed out that is not stored, or the entry ended: %v", err)
		}
		s.lines[0].cut(nil)
		pass(6 * time.Second)
		s.lives(1, 0)
	})
}

// req 80: a store that is away says nothing about an entry. I5
func TestStoreOutage(t *testing.T) {
	inStreet(t, 2, func(s *street) {
		s.signIn(false)
		for _, l := range s.lines {
			l.cut(errors.New("away"))
		}
		for range 5 {
			for _, v := range s.vaults {
				for _, err := range []error{errOf(v.Token(s.Context(), "k")), errOf(v.Delete(s.Context(), "k")), errOf(v.DeleteOwner(s.Context(), "trader"))} {
					if u, ok := errors.AsType[*vault.UnavailableError](err); !ok || u.RetryAfter < time.Second || !errors.Is(err, store.ErrUnavailable) {
						s.Errorf("got %v", err)
					}
				}
			}
			pass(20 * time.Second)
		}
		for _, l := range s.lines {
			l.cut(nil)
		}
		pass(20 * time.Second)
		s.lives(1, 0)
	})
}

// req 77, 78: a sign-out in one process ends the entry in all, renewals under way included, and streams hear of it. I6
func TestSignOutEverywhereAtOnce(t *testing.T) {
	inStreet(t, 2, func(s *street) {
		s.signIn(true)
		done, forget, err := s.vaults[1].Done(s.Context(), "k")
		if err != nil {
			s.Fatal(err)
		}
		defer forget()
		s.fault(identitytest.Fault{DelayAfter: 5 * time.Second})
		slow := make(chan error)
		go func() { slow <- errOf(s.vaults[1].Token(s.Context(), "k")) }()
		synctest.Wait()
		if _, err := s.vaults[0].Delete(s.Context(), "k"); err != nil {
			s.Fatal(err)
		}
		synctest.Wait()
		select {
		case <-done:
		default:
			s.Error("a stream in the other process was not told")
		}
		if err := <-slow; !errors.Is(err, vault.ErrNotFound) {
			s.Errorf("the slow request got %v", err)
		}
		pass(6 * time.Second)
		for _, v := range s.vaults {
			if _, err := v.Token(s.Context(), "k"); !errors.Is(err, vault.ErrNotFound) {
				s.Errorf("afterwards: %v", err)
			}
		}
		if s.states != 1 {
			s.Error("the IdentityServer's session was not given to be ended")
		}
		if s.revoked != 1 {
			s.Errorf("%d tokens were revoked, want the one that came after the sign-out", s.revoked)
		}
		if err := s.vaults[0].Put(s.Context(), "k", vault.Entry{Client: "spa", Token: &oauth2.Token{AccessToken: "a"}}); !errors.Is(err, vault.ErrNotFound) {
			s.Errorf("a deleted key was filled again: %v", err)
		}
	})
}

// A read costs no round trip while nothing changed, and another process's renewal is heard of.
func TestReadsComeFromMemory(t *testing.T) {
	inStreet(t, 2, func(s *street) {
		s.signIn(false)
		s.lives(1, 0)
		before := s.lines[1].gets
		for range 1000 {
			if _, err := s.vaults[1].Token(s.Context(), "k"); err != nil {
				s.Fatal(err)
			}
		}
		if n := s.lines[1].gets - before; n != 0 {
			s.Errorf("%d reads of the store for 1000 tokens", n)
		}
	})
}
