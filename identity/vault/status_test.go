package vault_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/vault"
)

func (h *house) status() vault.Status {
	h.Helper()
	status, err := h.vault.Status(h.Context(), "k")
	if err != nil {
		h.Fatal(err)
	}
	return status
}

// Who used a token past the mark can wait for what comes of it.
func TestAwait(t *testing.T) {
	inHouse(t, func(h *house) {
		h.signIn("k")
		awaited := func(ctx context.Context, key string, want time.Duration, wantErr error) {
			h.Helper()
			began := time.Now()
			if err := h.vault.Await(ctx, key); !errors.Is(err, wantErr) || time.Since(began) != want {
				h.Errorf("waited %v, and got %v; want %v, %v", time.Since(began), err, want, wantErr)
			}
		}
		awaited(h.Context(), "k", 0, nil)
		awaited(h.Context(), "nobody's", 0, nil)

		pass(21 * time.Second)
		h.server.Inject(identitytest.EndpointToken, identitytest.Fault{DelayBefore: 5 * time.Second})
		h.token("k")
		short, cancel := context.WithTimeout(h.Context(), time.Second)
		defer cancel()
		awaited(short, "k", time.Second, context.DeadlineExceeded)
		if n := h.status().Renewals; n != 0 {
			h.Errorf("%d renewals before there is one", n)
		}
		awaited(h.Context(), "k", 4*time.Second, nil)
		if n := h.status().Renewals; n != 1 {
			h.Errorf("%d renewals after the wait, want 1", n)
		}
		awaited(h.Context(), "k", 0, nil)
	})
}

// What failed is told until there is a successor.
func TestStatusTellsOfFailures(t *testing.T) {
	inHouse(t, func(h *house) {
		h.signIn("k")
		pass(21 * time.Second)
		if s := h.status(); s.Failure != nil || !s.RetryAt.IsZero() {
			h.Errorf("before any renewal: %v, %v", s.Failure, s.RetryAt)
		}
		h.server.Inject(identitytest.EndpointToken, identitytest.Fault{Status: 503, RetryAfter: "7"})
		h.token("k") // which begins one
		if err := h.vault.Await(h.Context(), "k"); err != nil {
			h.Error(err)
		}
		s := h.status()
		if !errors.Is(s.Failure, identity.ErrUnavailable) || time.Until(s.RetryAt) != 7*time.Second || s.Renewals != 0 {
			h.Errorf("after the one that failed: %+v", s)
		}
		pass(8 * time.Second)
		if s := h.status(); s.Failure == nil {
			h.Error("it is forgotten with the time")
		}
		h.token("k")
		h.refreshes(2)
		if s := h.status(); s.Failure != nil || !s.RetryAt.IsZero() || s.Renewals != 1 {
			h.Errorf("after the one that succeeded: %+v", s)
		}
	})
}

// Each process tells how often it has used the token, and out of how many.
func TestStatusCountsUses(t *testing.T) {
	budgeted(t, 2, 30, func(s *street) {
		uses := func(process, want, of int) {
			s.Helper()
			status, err := s.vaults[process].Status(s.Context(), "k")
			if err != nil || status.Uses != want || status.MaxUses != of {
				s.Errorf("process %d tells %d of %d, %v; want %d of %d", process, status.Uses, status.MaxUses, err, want, of)
			}
		}
		uses(0, 1, 30)
		uses(0, 1, 30) // looking is not use
		s.use(1, 1)
		uses(0, 1, 30)
		uses(1, 2, 30)
		s.fault(identitytest.Fault{Status: 503, Times: -1})
		s.use(0, 35) // past the bound, for want of a successor
		uses(0, 30, 30)
	})
	inHouse(t, func(h *house) {
		h.signIn("k")
		h.token("k")
		if s := h.status(); s.Uses != 0 || s.MaxUses != 0 {
			h.Errorf("%d of %d uses, though nothing bounds them", s.Uses, s.MaxUses)
		}
	})
}
