package vault

import (
	"context"
	"errors"
	"time"

	"golang.org/x/oauth2"
)

// A flight is one renewal, in this process, that any number of callers wait for.
type flight struct {
	generation int           // to be succeeded
	done       chan struct{} // closed when it has landed
	err        error         // nil: the slot holds a successor; valid once done
}

// take hands out the token, starting a renewal if one is due. If there is nothing left of it, it returns the flight to wait for.
func (v *Vault) take(s *slot, h *held) (*oauth2.Token, *flight, error) {
	now := v.config.Now()
	left := h.use(now)
	if left == plenty {
		return h.token, nil, nil
	}
	f, err := v.join(s, h, now)
	if left == little {
		return h.token, nil, nil
	}
	return nil, f, err
}

// join returns the flight under way, or starts one unless it is too early after a failure.
func (v *Vault) join(s *slot, h *held, now time.Time) (*flight, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.flight != nil:
		return s.flight, nil
	case s.held.Load().record.Generation > h.record.Generation: // a flight has landed since the caller looked
		landed := &flight{done: make(chan struct{})}
		close(landed.done)
		return landed, nil
	case now.Before(s.notUntil):
		return nil, &UnavailableError{RetryAfter: max(time.Second, s.notUntil.Sub(now)), Err: s.cause}
	case !v.begin():
		return nil, unavailable(errClosed)
	}
	s.flight = &flight{generation: h.record.Generation, done: make(chan struct{})}
	go v.fly(s, s.flight)
	return s.flight, nil
}

// wait returns the successor that a flight brings, or else a token that lives all the same, other than refused.
func (v *Vault) wait(ctx context.Context, s *slot, f *flight, refused *oauth2.Token) (*oauth2.Token, error) {
	began := v.config.Now()
	token, err := v.successor(ctx, s, f)
	if err != nil {
		token, err = v.living(ctx, s, refused, err)
	}
	if v.config.OnWait != nil {
		v.config.OnWait(Wait{s.held.Load().record.Client, v.config.Now().Sub(began), err})
	}
	return token, err
}

// successor returns what a flight brings. If others have used that up already, it waits for the next; if it came so late that
// it has expired, for one more.
func (v *Vault) successor(ctx context.Context, s *slot, f *flight) (*oauth2.Token, error) {
	patience := time.NewTimer(v.config.MaxWait)
	defer patience.Stop()
	for late := false; ; {
		if err := v.landed(ctx, s, f, patience.C); err != nil {
			return nil, err
		}
		h := s.held.Load()
		if !v.config.Now().Before(h.expiry) {
			if late {
				return h.token, nil
			}
			late = true
		}
		var (
			token *oauth2.Token
			err   error
		)
		if token, f, err = v.take(s, h); token != nil || err != nil {
			return token, err
		}
	}
}

// living returns, in place of an UnavailableError, a token that lives although its budget is spent: vendors' bounds are soft, and
// an outage of their token endpoint must not become ours. It is never the one that was refused.
func (v *Vault) living(ctx context.Context, s *slot, refused *oauth2.Token, cause error) (*oauth2.Token, error) {
	if _, ok := errors.AsType[*UnavailableError](cause); !ok || s.held.Load().budget == nil {
		return nil, cause
	}
	_, h, err := v.look(ctx, s.key) // the entry may have been deleted
	switch {
	case err != nil:
		return nil, err
	case !v.config.Now().Before(h.expiry), refused != nil && refused.AccessToken == h.token.AccessToken:
		return nil, cause
	}
	h.budget.spend()
	return h.token, nil
}

// landed waits for a flight. Its error says why the caller gets nothing of it.
func (v *Vault) landed(ctx context.Context, s *slot, f *flight, patience <-chan time.Time) error {
	select {
	case <-f.done:
	case <-s.gone:
		return ErrNotFound
	case <-patience:
		return unavailable(errWaiting)
	case <-ctx.Done():
		return ctx.Err()
	}
	switch {
	case f.err != nil:
		return f.err
	case s.isBuried():
		return ErrNotFound
	case s.held.Load().record.Dead: // a later flight has found that out
		return ErrEnded
	}
	return nil
}

// fly renews. It belongs to the vault: no caller's context reaches it.
func (v *Vault) fly(s *slot, f *flight) {
	defer v.running.Done()
	r := &renewal{Vault: v, slot: s, generation: f.generation, began: v.config.Now()}
	result, err := r.run(withEntryKey(v.ctx, s.key))
	v.land(s, f, result, err)
	if v.config.OnRenewal != nil {
		v.config.OnRenewal(Renewal{r.record.Owner, r.record.Client, result, v.config.Now().Sub(r.began), err, r.leaseWait})
	}
}

// land tells the callers. A failure makes the next flight wait.
func (v *Vault) land(s *slot, f *flight, result Result, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flight = nil
	switch result {
	case Renewed, Resumed, Joined:
		s.failures, s.notUntil, s.cause = 0, time.Time{}, nil
	case Refused:
		f.err = ErrEnded
	case Discarded:
		f.err = ErrNotFound
	case Failed:
		s.failures++
		now := v.config.Now()
		s.notUntil, s.cause = now.Add(pause(err, s.failures)), err
		f.err = &UnavailableError{RetryAfter: max(time.Second, s.notUntil.Sub(now)), Err: err}
		if errors.Is(err, errClosed) {
			f.err = unavailable(errClosed)
		}
	}
	close(f.done)
}
