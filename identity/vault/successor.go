package vault

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/records"
)

// saveSuccessor stores next in place of the generation that the renewal
// replaces. It does not give up while the store fails: the refresh token is
// used up, and only this process has the new one. It never overwrites a newer
// generation. It returns result and the joined causes once next is stored.
func (r *renewal) saveSuccessor(ctx context.Context, next record, result Result, causes ...error) (Result, error) {
	next.Generation = r.generation + 1
	for try := 1; ; try++ {
		err := r.write(ctx, next)
		switch {
		case err == nil:
			return result, errors.Join(causes...)
		case errors.Is(err, store.ErrConflict): // the lease was extended or taken over, or an earlier try did arrive
			err = r.reread(ctx)
		}
		switch {
		case err == nil: // still the old generation
			continue
		case errors.Is(err, errAhead) && r.stored.Value.Access == next.Access && r.stored.Value.Ended == next.Ended:
			return result, errors.Join(causes...)
		case errors.Is(err, ErrEnded) && !next.Ended: // the process that ended the entry did not know of this token
			next.Generation = r.stored.Value.Generation + 1
			continue
		case errors.Is(err, errAhead), errors.Is(err, ErrEnded), records.Absent(err):
			return r.discard(ctx, next, err)
		}
		if try == 1 {
			r.turn.leave() // the store fails, and the server need not wait for it
			r.vault.config.Logger.Error("vault: CRITICAL: a new token cannot be stored; trying until it can",
				slog.String("client", next.Client), slog.Any("error", err))
		}
		r.waitForChange(ctx, jitter(min(100*time.Millisecond<<min(try, 10), 5*time.Second)))
		if ctx.Err() != nil {
			r.vault.config.Logger.Error("vault: CRITICAL: a new token is lost: it could not be stored before the vault closed",
				slog.String("client", next.Client), slog.Bool("resumable", len(next.State) > 0), slog.Any("error", err))
			return Failed, err
		}
	}
}

// discard gives a token that came too late to Config.Revoke. It leaves out the
// State if another process's successor still uses it.
func (r *renewal) discard(ctx context.Context, next record, why error) (Result, error) {
	e := next.entry()
	if errors.Is(why, errAhead) {
		e.State = nil
	}
	if !next.Ended && r.vault.config.Revoke != nil {
		r.vault.config.Revoke(ctx, e)
	}
	if errors.Is(why, errAhead) {
		return Joined, nil
	}
	return resultOf(why), why
}
