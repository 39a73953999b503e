package vault_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/vault"
)

// While the watch is interrupted, what another process does is not told. So nothing is answered from memory.
func TestInterruptedWatch(t *testing.T) {
	inStreet(t, 2, func(s *street) {
		s.signIn(false)
		s.lives(1, 0)
		s.lines[1].interrupt()
		if _, err := s.vaults[0].Delete(s.Context(), "k"); err != nil {
			s.Fatal(err)
		}
		if _, err := s.vaults[1].Token(s.Context(), "k"); !errors.Is(err, vault.ErrNotFound) {
			s.Errorf("got %v", err)
		}
	})
}

// Streams are told of a sign-out as soon as it can be known.
func TestStreamsHearOfASignOutAfterAnInterruption(t *testing.T) {
	inStreet(t, 2, func(s *street) {
		s.signIn(false)
		s.lives(1, 0)
		done, forget, err := s.vaults[1].Done(s.Context(), "k")
		if err != nil {
			s.Fatal(err)
		}
		defer forget()
		s.lines[1].interrupt()
		if _, err := s.vaults[0].Delete(s.Context(), "k"); err != nil {
			s.Fatal(err)
		}
		synctest.Wait()
		select {
		case <-done:
			s.Fatal("the line was not deaf")
		default:
		}
		s.lines[1].resume()
		select {
		case <-done:
		default:
			s.Error("a stream was not told after the interruption")
		}
	})
}

// What was read before an interruption may be out of date after it.
func TestResumedWatch(t *testing.T) {
	inStreet(t, 2, func(s *street) {
		s.signIn(false)
		s.lives(1, 0)
		s.lines[1].interrupt()
		pass(15 * time.Second)
		old, err := s.vaults[0].Token(s.Context(), "k")
		if err != nil {
			s.Fatal(err)
		}
		token, err := s.vaults[0].Renew(s.Context(), "k", old)
		if err != nil {
			s.Fatal(err)
		}
		s.lines[1].resume()
		if got, err := s.vaults[1].Token(s.Context(), "k"); err != nil || !same(got, token) {
			s.Errorf("got the old token, or %v", err)
		}
		s.took(2, 0)
	})
}

// A process whose clock is ahead writes records that seem to live for longer. They do not.
func TestClocksThatDiffer(t *testing.T) {
	inStreet(t, 2, func(s *street) {
		s.lines[0].ahead = 10 * time.Minute
		token, err := s.client.Login(s.Context(), "trader@example.com", "trader-password")
		if err != nil {
			s.Fatal(err)
		}
		ahead := *token
		ahead.Expiry = token.Expiry.Add(10 * time.Minute)
		if err := s.vaults[0].Put(s.Context(), "k", vault.Entry{Owner: "trader", Client: "spa", Token: &ahead}); err != nil {
			s.Fatal(err)
		}
		if _, err := s.vaults[1].Token(s.Context(), "k"); err != nil {
			s.Fatal(err)
		}
		pass(31 * time.Second)
		if got, err := s.vaults[1].Token(s.Context(), "k"); err != nil || same(got, token) {
			s.Errorf("the expired token was handed out, or %v", err)
		}
	})
}
