package vault

import (
	"context"
	"time"
)

// Status describes an entry without its token.
type Status struct {
	Owner, Client, Scope string
	Issued, Expiry       time.Time // of the current token
	Renewals             int       // since it was put
	Uses, MaxUses        int       // of the current token, by this process; MaxUses is 0 if nothing bounds them
	Failure              error     // why this process's last renewal failed; nil: it did not, or there is a successor since
	RetryAt              time.Time // when the next renewal may begin, if there is a Failure
}

// Status describes the entry under key. It starts no renewal.
//
// Errors: as Token.
func (v *Vault) Status(ctx context.Context, key string) (Status, error) {
	s, h, err := v.look(ctx, key)
	if err != nil {
		return Status{}, err
	}
	r := h.record
	status := Status{Owner: r.Owner, Client: r.Client, Scope: r.Scope, Issued: r.Issued, Expiry: r.Expiry, Renewals: r.Generation}
	status.Uses, status.MaxUses = h.budget.spent()
	s.mu.Lock()
	defer s.mu.Unlock()
	status.Failure, status.RetryAt = s.cause, s.notUntil
	return status, nil
}

// Await waits until the renewal of the entry under key that is under way in this process, if there is one, has ended. What came of it is
// in Status.
//
// Errors: the context's.
func (v *Vault) Await(ctx context.Context, key string) error {
	f := v.flightOf(key)
	if f == nil {
		return nil
	}
	select {
	case <-f.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// flightOf returns the renewal under way, or nil.
func (v *Vault) flightOf(key string) *flight {
	s := v.index.get(key)
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.flight
}
