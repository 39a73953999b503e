package vault

import (
	"context"
	"errors"
	"time"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/records"
	"b2trader.identity.auth/identity/tokenapi"
)

// A renewal replaces one generation of an entry's token. Any number of callers
// in this process wait for it. Its steps, in this order, keep sessions alive:
//
//  1. wait for a slot of the client's pace (queue.go);
//  2. read the record from the store, never from memory (lease.go);
//  3. take the lease by compare-and-swap on that record (lease.go);
//  4. send the refresh token, and extend the lease meanwhile (request.go);
//  5. store the successor before any caller uses it (successor.go).
//
// A process that dies between 4 and 5 has used the refresh token up. The process
// that takes the expired lease over asks once more, is refused, and resumes the
// entry from its State (refused.go).
type renewal struct {
	vault      *Vault
	entry      *cachedEntry
	generation int           // the one to replace
	turn       *turn         // its slot
	done       chan struct{} // closed when the renewal has finished
	err        error         // what callers get; nil: the entry has a successor. Valid once done

	began     time.Time
	queueWait time.Duration           // how long it waited for its turn
	leaseWait time.Duration           // how long another process held the lease
	stored    *records.Record[record] // as last read or written
	leasedAt  time.Time               // when the lease that this renewal holds began, by the monotonic clock
	tried     bool                    // it has tried to write a lease
	takenOver bool                    // the last holder did not give the lease back: it may have sent the refresh token
	sight     leaseSight
	sent      time.Time // when the last request for a token began, by the store's clock
}

// errAhead says that another process renewed the token meanwhile.
var errAhead = errors.New("another process has renewed the token")

// startRenewal returns the renewal under way, or starts one. After a failure
// it starts none before the pause is over. A renewal that callers wait for is
// urgent. ctx is the caller's.
//
// Errors: *UnavailableError.
func (v *Vault) startRenewal(ctx context.Context, e *cachedEntry, s *snapshot, now time.Time, urgent bool) (*renewal, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.renewal != nil {
		if urgent {
			e.renewal.turn.hurry()
		}
		return e.renewal, nil
	}
	p := v.pace(s.stored.Value.Client)
	r := &renewal{
		vault: v, entry: e, generation: s.stored.Value.Generation, turn: &turn{pace: p, urgent: urgent},
		began: now, done: make(chan struct{}),
	}
	switch {
	case e.snapshot.Load().stored.Value.Generation > r.generation: // renewed since the caller looked
		close(r.done)
		return r, nil
	case !passed(e.retryAt(p), now):
		return nil, &UnavailableError{RetryAfter: max(time.Second, e.notBefore.Sub(now)), Err: e.cause}
	case !v.mayRenew():
		return nil, unavailable(errClosed)
	}
	e.renewal = r
	go r.renew(v.renewalContext(ctx, e.key))
	return r, nil
}

// renewalContext returns the context of a renewal. It is made of the vault's,
// because the renewal outlives the caller that starts it.
func (v *Vault) renewalContext(caller context.Context, key string) context.Context {
	ctx := withEntryKey(v.ctx, key)
	if v.config.RenewalContext != nil {
		ctx = v.config.RenewalContext(ctx, caller)
	}
	return ctx
}

// renew carries the renewal out, in a context of renewalContext.
func (r *renewal) renew(ctx context.Context) {
	v := r.vault
	defer v.renewing.Done()
	result, err := r.run(ctx)
	r.turn.leave()
	r.finish(result, err)
	if v.config.OnRenewal == nil || errors.Is(err, errClosed) {
		return
	}
	report := Renewal{Result: result, Duration: v.config.Now().Sub(r.began), Err: err, QueueWait: r.queueWait, LeaseWait: r.leaseWait}
	if r.stored != nil {
		report.Owner, report.Client = r.stored.Value.Owner, r.stored.Value.Client
	}
	v.config.OnRenewal(report)
}

// run carries out the steps. Its error is nil if the entry then has a
// successor.
func (r *renewal) run(ctx context.Context) (Result, error) {
	switch err := r.holdLease(ctx); {
	case err == nil:
	case errors.Is(err, errAhead):
		return Joined, nil
	default:
		return resultOf(err), err
	}
	token, err := r.refresh(ctx)
	switch {
	case err == nil:
		return r.saveToken(ctx, token, r.stored.Value.State, Renewed)
	case errors.Is(err, errAhead):
		return Joined, nil
	case tokenapi.OutcomeOf(err).Kind == tokenapi.Refused:
		return r.onRefused(ctx, err)
	}
	r.giveBackLease(ctx)
	r.vault.alarms.report(r.stored.Value.Client, err)
	return Failed, err
}

// resultOf returns the result of a renewal that err ended before its request.
func resultOf(err error) Result {
	switch {
	case records.Absent(err):
		return Discarded
	case errors.Is(err, ErrEnded):
		return Refused
	}
	return Failed
}

// finish releases the callers. After a failure, the next renewal has to wait.
func (r *renewal) finish(result Result, err error) {
	e := r.entry
	e.mu.Lock()
	defer e.mu.Unlock()
	e.renewal = nil
	switch result {
	case Renewed, Resumed, Joined:
		e.failures, e.notBefore, e.cause = 0, time.Time{}, nil
	case Refused:
		r.err = ErrEnded
	case Discarded:
		r.err = ErrNotFound
	case Failed:
		e.failures = max(e.failures, e.late-1) // a late token has reset the failures
		now := r.vault.config.Now()
		e.failed(err, now, r.turn.pace)
		r.err = &UnavailableError{RetryAfter: max(time.Second, e.notBefore.Sub(now)), Err: err}
		if errors.Is(err, errClosed) {
			r.err = unavailable(errClosed)
		}
	}
	close(r.done)
}

// reread reads the record from the store.
//
// Errors: errAhead if there is a successor already; ErrEnded; the store's, also
// for an entry that is being deleted.
func (r *renewal) reread(ctx context.Context) error {
	stored, err := r.entry.ref.Read(ctx)
	if err != nil {
		return err
	}
	r.stored = stored
	r.vault.adopt(r.entry)
	switch {
	case !stored.Value.Taken.IsZero():
		return store.ErrDeleted
	case stored.Value.Ended:
		return ErrEnded
	case stored.Value.Generation > r.generation:
		return errAhead
	}
	return nil
}

// rereadSettled is reread, repeated while the record changes during the read. It
// returns a channel that is closed at the first change after that.
//
// Errors: as reread.
func (r *renewal) rereadSettled(ctx context.Context) (changed <-chan struct{}, err error) {
	for {
		changed = r.entry.ref.Changed()
		if err := r.reread(ctx); err != nil {
			return nil, err
		}
		select {
		case <-changed:
		default:
			return changed, nil
		}
	}
}

// write replaces the record that was last read or written.
func (r *renewal) write(ctx context.Context, next record) error {
	stored, err := r.entry.ref.Put(ctx, records.Record[record]{
		Owner: r.stored.Owner, Version: r.stored.Version, Expires: next.Until, Value: next,
	})
	if err != nil {
		return err
	}
	r.stored = stored
	r.vault.adopt(r.entry)
	return nil
}

// pause blocks for d, or until the record changes.
func (r *renewal) pause(ctx context.Context, d time.Duration) {
	r.waitForChange(ctx, r.entry.ref.Changed(), d)
}

// waitForChange blocks until the record has changed, for at most d.
func (r *renewal) waitForChange(ctx context.Context, changed <-chan struct{}, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-changed:
	case <-timer.C:
	case <-ctx.Done():
	}
}
