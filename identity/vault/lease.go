package vault

import (
	"context"
	"errors"
	"fmt"
	"time"

	"b2trader.identity.auth/identity/store"
)

// A lease lets its holder renew the token. Each write of a record is a
// compare-and-swap on its version, so a holder that was paused beyond its lease
// is refused at its next write.
type lease struct {
	Holder string        `json:"h"`
	Until  time.Time     `json:"u"` // by the store's clock
	Length time.Duration `json:"n"`
}

// A leaseSight is when a renewal first read a version of a record.
type leaseSight struct {
	version uint64
	at      time.Time
}

// holdLease makes sure that this vault holds the lease for a while: load may
// have used most of it up before the refresh token is sent.
//
// Errors: as takeLease.
func (r *renewal) holdLease(ctx context.Context) error {
	const tries = 3
	for range tries {
		if l := r.stored; l != nil && r.isOurs(l.Value.Lease) && time.Since(r.leasedAt) < r.vault.config.Lease/2 {
			return nil
		}
		if err := r.takeLease(ctx); err != nil {
			return err
		}
	}
	r.giveBackLease(ctx)
	return fmt.Errorf("the store takes more than half of a lease of %v to write it", r.vault.config.Lease)
}

// takeLease waits for the renewal's turn, reads the record and writes this
// vault's lease into it. It waits as long as another holder extends its lease,
// and lets other renewals go first meanwhile.
//
// Errors: as reread; errClosed if the vault closes while it waits.
func (r *renewal) takeLease(ctx context.Context) error {
	for {
		if err := r.awaitTurn(ctx); err != nil {
			return err
		}
		changed, err := r.rereadSettled(ctx)
		if err != nil {
			return err
		}
		if wait := r.heldFor(r.stored.Value.Lease); wait > 0 {
			r.turn.leave()
			if err := r.waitForHolder(ctx, changed, wait); err != nil {
				return err
			}
			continue
		}
		if l := r.stored.Value.Lease; l != nil && (!r.isOurs(l) || !r.tried) {
			r.takenOver = true
		}
		switch err := r.writeLease(ctx); {
		case err == nil:
			return nil
		case !errors.Is(err, store.ErrConflict):
			return err
		}
		r.pause(ctx, jitter(20*time.Millisecond)) // the store will report the write that came first
	}
}

func (r *renewal) isOurs(l *lease) bool { return l != nil && l.Holder == r.vault.holder }

// heldFor returns how long to wait before the lease can be taken; 0: it can be
// taken now. The lease lasts until its end by the store's clock, but no longer
// than its length from when this renewal first saw it, in case the holder's
// idea of the store's clock was wrong. A holder under load may be about to
// extend a lease that has just run out: the lease is taken over if nothing
// changes for a while.
func (r *renewal) heldFor(l *lease) time.Duration {
	if l == nil || r.isOurs(l) {
		return 0
	}
	now := r.vault.config.Now()
	known := r.stored.Version == r.sight.version
	if !known {
		r.sight = leaseSight{r.stored.Version, now}
	}
	left := l.Until.Sub(r.vault.storeNow())
	if l.Length > 0 { // else a version without it wrote the lease
		left = min(left, l.Length-now.Sub(r.sight.at))
	}
	if left <= 0 && known {
		return 0
	}
	return max(0, left) + jitter(r.vault.config.Lease/8)
}

// waitForHolder blocks until the record has changed, for at most d.
//
// Errors: errClosed, or the context's.
func (r *renewal) waitForHolder(ctx context.Context, changed <-chan struct{}, d time.Duration) error {
	began := r.vault.config.Now()
	r.waitForChange(r.vault.accepting, changed, d)
	r.leaseWait += r.vault.config.Now().Sub(began)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case r.vault.accepting.Err() != nil:
		return errClosed
	}
	return nil
}

// writeLease writes a lease into the record that begins now.
func (r *renewal) writeLease(ctx context.Context) error {
	began := time.Now()
	next := r.stored.Value
	length := r.vault.config.Lease
	next.Lease = &lease{Holder: r.vault.holder, Until: r.vault.storeNow().Add(length), Length: length}
	r.tried = true
	if err := r.write(ctx, next); err != nil {
		return err
	}
	r.leasedAt = began
	return nil
}

// extendLease extends the lease until ctx ends, or until another process has
// taken it over, as after a long pause of this one.
func (r *renewal) extendLease(ctx context.Context) {
	every := r.vault.config.Lease / 3
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		bounded, cancel := context.WithTimeout(ctx, every) // the next try must not come too late
		err := r.writeLease(bounded)
		if errors.Is(err, store.ErrConflict) { // perhaps with an extension of ours that seemed to fail
			err = r.reread(bounded)
			if err == nil && !r.isOurs(r.stored.Value.Lease) {
				err = errAhead
			}
			if err == nil {
				err = r.writeLease(bounded)
			}
		}
		cancel()
		if isLost(err) {
			return
		}
	}
}

// isLost reports whether err says that another process changed the record, and
// not that the store failed.
func isLost(err error) bool {
	return errors.Is(err, store.ErrConflict) || errors.Is(err, errAhead) || resultOf(err) != Failed
}

// giveBackLease removes the lease, so that other processes need not wait until
// it ends. If that fails, they wait.
func (r *renewal) giveBackLease(ctx context.Context) {
	if l := r.stored.Value.Lease; r.isOurs(l) {
		next := r.stored.Value
		next.Lease = nil
		_ = r.write(context.WithoutCancel(ctx), next)
	}
}
