package vault

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/tokenapi"
)

// lost decides what becomes of an entry whose refresh token was refused.
func (r *renewal) lost(ctx context.Context, cause error) (Result, error) {
	if err := r.spared(ctx); err != nil {
		if errors.Is(err, errAhead) {
			return Joined, nil
		}
		return r.resultOf(err), err
	}
	resumer, ok := r.config.Refreshers[r.record.Client].(Resumer)
	if !ok || len(r.record.State) == 0 {
		return r.save(ctx, r.record.dead(), Refused, cause)
	}
	resumeCtx, cancel := context.WithTimeout(ctx, r.config.Timeout)
	defer cancel()
	token, state, err := resumer.ResumeBinary(resumeCtx, r.record.State)
	switch {
	case err == nil:
		next := r.record.with(token, r.config.Now())
		next.State = state
		return r.save(ctx, next, Resumed)
	case tokenapi.OutcomeOf(err).Kind == tokenapi.Refused:
		return r.save(ctx, r.record.dead(), Refused, errors.Join(cause, err))
	}
	r.giveBack(ctx)
	return Failed, errors.Join(cause, err)
}

// spared reports by errAhead that the record changed after all. If our lease was taken from a holder that may only have been paused,
// it gets the time of a lease to store what it may have got.
func (r *renewal) spared(ctx context.Context) error {
	until := r.config.Now()
	if r.taken {
		until = until.Add(r.config.Lease)
	}
	for {
		if err := r.reread(ctx); err != nil {
			return err
		}
		left := until.Sub(r.config.Now())
		if left <= 0 || ctx.Err() != nil {
			return ctx.Err()
		}
		r.pauseFor(ctx, left)
	}
}

// save stores next, the successor of what was read, before anybody uses it. It does not give up while the store is away:
// the refresh token is spent, and nobody else has the new one. A newer generation is never overwritten.
func (r *renewal) save(ctx context.Context, next record, result Result, cause ...error) (Result, error) {
	next.Generation = r.generation + 1
	for try := 1; ; try++ {
		err := r.write(ctx, next)
		switch {
		case err == nil:
			return result, errors.Join(cause...)
		case errors.Is(err, store.ErrConflict): // the lease was renewed or taken, or a write of ours did arrive
			err = r.reread(ctx)
		}
		switch {
		case err == nil: // still the old generation
			continue
		case errors.Is(err, errAhead) && r.record.Access == next.Access && r.record.Dead == next.Dead:
			return result, errors.Join(cause...)
		case errors.Is(err, ErrEnded) && !next.Dead: // given up by a process that knew less
			next.Generation = r.record.Generation + 1
			continue
		case errors.Is(err, errAhead), errors.Is(err, ErrEnded), gone(err):
			return r.discard(ctx, next, err)
		}
		if try == 1 {
			r.config.Logger.Error("vault: CRITICAL: a new token cannot be stored; trying until it can", slog.String("client", next.Client), slog.Any("error", err))
		}
		r.pauseFor(ctx, jitter(min(100*time.Millisecond<<min(try, 10), 5*time.Second)))
		if ctx.Err() != nil {
			return Failed, err
		}
	}
}

// discard hands a token that came too late to be revoked. The state goes with it only if nobody lives by it any more.
func (r *renewal) discard(ctx context.Context, next record, why error) (Result, error) {
	e := next.entry()
	if errors.Is(why, errAhead) {
		e.State = nil
	}
	if !next.Dead && r.config.Revoke != nil {
		r.config.Revoke(ctx, e)
	}
	switch {
	case errors.Is(why, errAhead):
		return Joined, nil
	case errors.Is(why, ErrEnded):
		return Refused, why
	}
	r.end(r.slot)
	return Discarded, why
}
