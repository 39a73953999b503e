package vault

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"golang.org/x/oauth2"

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
		err := store.ErrConflict // if extendLease has read another process's successor
		if r.stored.Value.Generation == next.Generation-1 {
			err = r.write(ctx, next)
		}
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
		r.pause(ctx, jitter(min(100*time.Millisecond<<min(try, 10), 5*time.Second)))
		if ctx.Err() != nil {
			r.vault.config.Logger.Error("vault: CRITICAL: a new token is lost: it could not be stored before the vault closed",
				slog.String("client", next.Client), slog.Bool("resumable", len(next.State) > 0), slog.Any("error", err))
			return Failed, err
		}
	}
}

// saveToken stores a token that the server has sent. A token that has expired
// by then is stored too, because the refresh token before it is used up, but no
// caller gets it. If it had no lifetime, or if it is not the first such token in
// a row, the next renewal waits as after a failure.
func (r *renewal) saveToken(ctx context.Context, token *oauth2.Token, state []byte, result Result) (Result, error) {
	next := r.stored.Value.with(token, r.sent, r.vault.storeAhead())
	next.State = state
	result, err := r.saveSuccessor(ctx, next, result)
	switch {
	case err != nil || result == Joined:
		return result, err
	case !r.arrivedLate(next.Expiry.Sub(next.Issued)):
		r.vault.alarms.clear(next.Client)
		return result, nil
	}
	r.vault.alarms.report(next.Client, errExpired)
	return Failed, errExpired
}

// arrivedLate reports whether the new token, of that life, has expired already
// and no better one is to be expected soon.
func (r *renewal) arrivedLate(life time.Duration) bool {
	e := r.entry
	e.mu.Lock()
	defer e.mu.Unlock()
	if !passed(e.snapshot.Load().expiry, r.vault.config.Now()) {
		e.late = 0
		return false
	}
	e.late++
	return e.late > 1 || life < time.Second
}

// discard gives a token that came too late to Config.Revoke. It leaves out the
// State if another process's successor still uses it.
func (r *renewal) discard(ctx context.Context, next record, why error) (Result, error) {
	e := next.entry(r.vault.storeAhead())
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
