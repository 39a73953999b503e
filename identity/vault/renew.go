package vault

import (
	"context"
	"errors"
	"time"

	"math/rand/v2"

	"golang.org/x/oauth2"
)

// A flight is one renewal that any number of callers wait for.
type flight struct {
	done chan struct{} // closed when it has landed
}

// renewed returns the token that is due for renewal while it lives, and else waits for its successor.
func (v *Vault) renewed(ctx context.Context, s *slot, now time.Time) (*oauth2.Token, error) {
	f, held, err := v.join(s, now)
	if now.Before(held.token.Expiry) && !errors.Is(err, ErrEnded) && !errors.Is(err, ErrNotFound) {
		return held.token, nil
	}
	if err != nil {
		return nil, err
	}
	if f == nil { // a renewal landed since the caller looked
		return held.token, nil
	}
	select {
	case <-f.done:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return s.outcome(v.config.Now())
}

// join returns the flight under way, starting one if a renewal is due and may be tried.
func (v *Vault) join(s *slot, now time.Time) (*flight, *held, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	held := s.held.Load()
	switch {
	case s.ended:
		return nil, held, ErrNotFound
	case s.dead:
		return nil, held, ErrEnded
	case now.Before(held.renewAt):
		return nil, held, nil
	case s.flight != nil:
		return s.flight, held, nil
	case now.Before(s.notUntil):
		return nil, held, s.unavailable(now)
	case !v.begin():
		return nil, held, &UnavailableError{RetryAfter: time.Second, Err: errClosed}
	}
	s.flight = &flight{done: make(chan struct{})}
	go v.fly(s, s.flight, held)
	return s.flight, held, nil
}

func (v *Vault) begin() bool {
	v.closing.Lock()
	defer v.closing.Unlock()
	if !v.closed {
		v.running.Add(1)
	}
	return !v.closed
}

// outcome is what a caller gets after a flight has landed.
func (s *slot) outcome(now time.Time) (*oauth2.Token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	held := s.held.Load()
	switch {
	case s.ended:
		return nil, ErrNotFound
	case s.dead:
		return nil, ErrEnded
	case s.cause != nil:
		return nil, s.unavailable(now)
	}
	return held.token, nil
}

func (s *slot) unavailable(now time.Time) error {
	return &UnavailableError{RetryAfter: max(time.Second, s.notUntil.Sub(now)), Err: s.cause}
}

// fly renews what the slot held when the flight began. It belongs to the vault: no caller's context reaches it.
func (v *Vault) fly(s *slot, f *flight, old *held) {
	defer v.running.Done()
	ctx, cancel := context.WithTimeout(v.ctx, v.config.Timeout)
	defer cancel()
	began := v.config.Now()
	token, err := v.config.Refreshers[s.client].Refresh(ctx, old.token)
	now := v.config.Now()
	result := s.land(token, err, old, now)
	close(f.done)
	if result == Discarded && v.config.Revoke != nil {
		v.config.Revoke(ctx, s.entry(token))
	}
	if v.config.OnRenewal != nil {
		v.config.OnRenewal(Renewal{s.owner, s.client, result, now.Sub(began), err})
	}
}

// land stores what a flight brought, before anybody gets to see it.
func (s *slot) land(token *oauth2.Token, err error, old *held, now time.Time) Result {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flight = nil
	var refused interface{ GrantRefused() bool }
	switch {
	case err == nil && s.ended:
		return Discarded
	case err == nil:
		s.held.Store(newHeld(token, old.generation+1, now))
		s.failures, s.notUntil, s.cause = 0, time.Time{}, nil
		return Renewed
	case errors.As(err, &refused) && refused.GrantRefused():
		s.dead, s.cause = true, err
		return Refused
	}
	s.failures++
	s.notUntil, s.cause = now.Add(pause(err, s.failures)), err
	return Failed
}

// pause is how long to wait after so many failures in a row: as long as the server asks, or a second, doubling up to
// sixteen, give or take a quarter so that many sessions do not come back as one.
func pause(err error, failures int) time.Duration {
	var asked interface{ RetryDelay() time.Duration }
	if errors.As(err, &asked) && asked.RetryDelay() > 0 {
		return asked.RetryDelay()
	}
	d := time.Second << min(failures-1, 4)
	return d*3/4 + rand.N(d/2)
}
