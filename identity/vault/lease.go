package vault

import (
	"context"
	"errors"
	"time"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/records"
)

// A lease lets its holder renew the token. Each write of a record is a
// compare-and-swap on its version, so a holder that was paused beyond its lease
// is refused at its next write.
type lease struct {
	Holder string    `json:"h"`
	Until  time.Time `json:"u"`
}

// takeLease reads the record and writes this vault's lease into it. It waits
// as long as another holder extends its lease.
//
// Errors: as reread.
func (r *renewal) takeLease(ctx context.Context) error {
	for {
		if err := r.reread(ctx); err != nil {
			return err
		}
		now := r.vault.config.Now()
		l := r.stored.Value.Lease
		if l != nil && l.Holder != r.vault.holder && now.Before(l.Until) {
			r.waitForChange(ctx, jitter(l.Until.Sub(now)+r.vault.config.Lease/8))
			r.leaseWait += r.vault.config.Now().Sub(now)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			continue
		}
		r.takenOver = l != nil
		switch err := r.writeLease(ctx); {
		case err == nil:
			return nil
		case !errors.Is(err, store.ErrConflict):
			return err
		}
		r.waitForChange(ctx, jitter(20*time.Millisecond)) // the store will report the write that came first
	}
}

// writeLease writes a lease into the record that begins now.
func (r *renewal) writeLease(ctx context.Context) error {
	next := r.stored.Value
	next.Lease = &lease{Holder: r.vault.holder, Until: r.vault.config.Now().Add(r.vault.config.Lease)}
	return r.write(ctx, next)
}

// extendLease extends the lease until ctx ends, or until another process has
// taken it over, as after a long pause of this one.
func (r *renewal) extendLease(ctx context.Context) {
	tick := time.NewTicker(r.vault.config.Lease / 3)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if err := r.writeLease(ctx); errors.Is(err, store.ErrConflict) || records.Absent(err) {
			return
		}
	}
}

// giveBackLease removes the lease, so that other processes need not wait until
// it ends. If that fails, they wait.
func (r *renewal) giveBackLease(ctx context.Context) {
	if l := r.stored.Value.Lease; l != nil && l.Holder == r.vault.holder {
		next := r.stored.Value
		next.Lease = nil
		_ = r.write(context.WithoutCancel(ctx), next)
	}
}
