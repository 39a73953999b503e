package vault

import (
	"context"
	"errors"
	"time"

	"golang.org/x/oauth2"
)

// serve returns the token of s, and starts a renewal if one is due. If nothing
// is left of the token, it returns the renewal to wait for instead.
func (v *Vault) serve(ctx context.Context, e *cachedEntry, s *snapshot) (*oauth2.Token, *renewal, error) {
	now := v.config.Now()
	left := s.use(now)
	if left == ample {
		return s.token, nil, nil
	}
	r, err := v.startRenewal(ctx, e, s, now, left == empty)
	if left == low {
		return s.token, nil, nil
	}
	return nil, r, err
}

// wait returns the token that the renewal brings, or else the fallback. It
// returns no token that is refused.
func (v *Vault) wait(ctx context.Context, e *cachedEntry, r *renewal, refused *oauth2.Token) (*oauth2.Token, error) {
	began := v.config.Now()
	token, err := v.successor(ctx, e, r)
	if err != nil {
		token, err = v.fallback(ctx, e, refused, err)
	}
	if v.config.OnWait != nil {
		v.config.OnWait(Wait{e.snapshot.Load().stored.Value.Client, v.config.Now().Sub(began), err})
	}
	return token, err
}

// successor returns the token that the renewal brings. If other callers have
// used that token up, or if it has expired by now, it waits for the next one.
func (v *Vault) successor(ctx context.Context, e *cachedEntry, r *renewal) (*oauth2.Token, error) {
	patience := time.NewTimer(v.config.MaxWait)
	defer patience.Stop()
	for {
		if err := e.await(ctx, r, patience.C); err != nil {
			return nil, err
		}
		s := e.snapshot.Load()
		var (
			token *oauth2.Token
			err   error
		)
		if token, r, err = v.serve(ctx, e, s); token != nil || err != nil {
			return token, err
		}
	}
}

// await blocks until the renewal finishes and returns its error. It returns
// earlier if the entry is deleted, patience fires or ctx ends.
func (e *cachedEntry) await(ctx context.Context, r *renewal, patience <-chan time.Time) error {
	select {
	case <-r.done:
	case <-e.ref.Deleted():
		return ErrNotFound
	case <-patience:
		return unavailable(errWaiting)
	case <-ctx.Done():
		return ctx.Err()
	}
	switch {
	case r.err != nil:
		return r.err
	case e.ref.IsDeleted():
		return ErrNotFound
	}
	return e.snapshot.Load().stored.Value.over() // since the renewal
}

// fallback returns, in place of an UnavailableError, a token that is alive but
// used more often than its budget allows: such bounds are soft, and an outage
// of the token endpoint should not end the caller's work. It never returns the
// refused token.
func (v *Vault) fallback(ctx context.Context, e *cachedEntry, refused *oauth2.Token, cause error) (*oauth2.Token, error) {
	if _, ok := errors.AsType[*UnavailableError](cause); !ok || e.snapshot.Load().budget == nil {
		return nil, cause
	}
	_, s, err := v.find(ctx, e.key) // the entry may be deleted by now
	switch {
	case err != nil:
		return nil, err
	case passed(s.expiry, v.config.Now()), refused != nil && refused.AccessToken == s.token.AccessToken:
		return nil, cause
	}
	s.budget.spend()
	return s.token, nil
}
