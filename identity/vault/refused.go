package vault

import (
	"context"
	"errors"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/tokenapi"
)

// onRefused decides what becomes of an entry whose refresh token was refused:
// another process may have renewed it, or its State may bring new tokens.
// Otherwise it has ended.
func (r *renewal) onRefused(ctx context.Context, cause error) (Result, error) {
	if err := r.recheckBeforeEnding(ctx); err != nil {
		if errors.Is(err, errAhead) {
			return Joined, nil
		}
		return resultOf(err), err
	}
	current := r.stored.Value
	resumer, ok := r.vault.config.Refreshers[current.Client].(Resumer)
	if !ok || len(current.State) == 0 {
		return r.saveSuccessor(ctx, current.ended(), Refused, cause)
	}
	resumeCtx, cancel := context.WithTimeout(ctx, r.vault.config.Timeout)
	defer cancel()
	var (
		token *oauth2.Token
		state []byte
	)
	err := r.turn.exchange(func() (err error) {
		token, state, err = resumer.ResumeBinary(resumeCtx, current.State)
		return err
	})
	switch {
	case err == nil:
		next := current.with(token, r.vault.config.Now())
		next.State = state
		return r.saveSuccessor(ctx, next, Resumed)
	case tokenapi.OutcomeOf(err).Kind == tokenapi.Refused:
		return r.saveSuccessor(ctx, current.ended(), Refused, errors.Join(cause, err))
	}
	r.giveBackLease(ctx)
	return Failed, errors.Join(cause, err)
}

// recheckBeforeEnding returns errAhead if another process renewed the record
// meanwhile. If this vault took the lease over, the last holder may only have
// been paused: it gets the time of one lease to store the successor.
func (r *renewal) recheckBeforeEnding(ctx context.Context) error {
	until := r.vault.config.Now()
	if r.takenOver {
		until = until.Add(r.vault.config.Lease)
	}
	for {
		if err := r.reread(ctx); err != nil {
			return err
		}
		left := until.Sub(r.vault.config.Now())
		if left <= 0 || ctx.Err() != nil {
			return ctx.Err()
		}
		r.waitForChange(ctx, left)
	}
}
