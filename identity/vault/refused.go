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
	resumer, ok := r.vault.config.Refreshers[r.stored.Value.Client].(Resumer)
	resumes := ok && len(r.stored.Value.State) > 0
	if err := r.recheckBeforeEnding(ctx, resumes); err != nil {
		if errors.Is(err, errAhead) {
			return Joined, nil
		}
		return resultOf(err), err
	}
	current := r.stored.Value
	if !resumes {
		return r.saveSuccessor(ctx, current.ended(), Refused, cause)
	}
	resumeCtx, cancel := context.WithTimeout(ctx, r.vault.config.Timeout)
	defer cancel()
	var (
		token *oauth2.Token
		state []byte
	)
	r.sent = r.vault.storeNow()
	err := r.turn.exchange(func() (err error) {
		token, state, err = resumer.ResumeBinary(resumeCtx, current.State)
		return err
	})
	switch {
	case err == nil:
		return r.saveToken(ctx, token, state, Resumed)
	case tokenapi.OutcomeOf(err).Kind == tokenapi.Refused:
		return r.saveSuccessor(ctx, current.ended(), Refused, errors.Join(cause, err))
	}
	r.giveBackLease(ctx)
	return Failed, errors.Join(cause, err)
}

// recheckBeforeEnding returns errAhead if another process renewed the record
// meanwhile. If this vault took the lease over, the last holder may only have
// been paused: it gets the time of four leases to store the successor. An entry
// that can be resumed does not wait: a late successor does not replace the
// tokens of Resume, which do not depend on it.
func (r *renewal) recheckBeforeEnding(ctx context.Context, resumes bool) error {
	until := r.vault.config.Now()
	if r.takenOver && !resumes {
		until = until.Add(4 * r.vault.config.Lease)
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
