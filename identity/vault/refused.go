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
// meanwhile. Another process may have spent the refresh token and not stored
// the successor yet: the last holder, if this vault took the lease over from it,
// or the one that has since taken it over from this vault. It gets the time of
// four leases from its last sign of life. An entry that can be resumed does not
// wait: a late successor does not replace the tokens of Resume, which do not
// depend on it.
func (r *renewal) recheckBeforeEnding(ctx context.Context, resumes bool) error {
	patience := 4 * r.vault.config.Lease
	until := r.vault.config.Now()
	if r.takenOver {
		until = until.Add(patience)
	}
	for seen := uint64(0); ; {
		changed, err := r.rereadSettled(ctx)
		if err != nil {
			return err
		}
		now := r.vault.config.Now()
		if l := r.stored.Value.Lease; l != nil && !r.isOurs(l) && seen != r.stored.Version {
			seen, until = r.stored.Version, now.Add(patience)
		}
		left := until.Sub(now)
		if resumes || left <= 0 || ctx.Err() != nil {
			return ctx.Err()
		}
		r.waitForChange(ctx, changed, left)
	}
}
