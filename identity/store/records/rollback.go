package records

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"b2trader.identity.auth/identity/store"
)

// A store can forget: after a restart from an older copy of its data, or after a
// failover to a replica that lagged, it shows older versions than before, and
// records that were deleted. This process then writes what it still knows.

const (
	restoreWait  = time.Second      // of one read, for the process that has the newest version to write it
	restoreTime  = 10 * time.Second // of all reads: that process first has to reach the store again
	restoreTries = 3                // while other processes restore the same record
	restoreReads = 8                // at the same time, after an interruption of the watch
)

var errOlder = errors.New("the store shows an older version, and another process may still write the newer one")

// known returns the newest version that this process knows of, or 0.
func (r *Ref[T]) known() uint64 {
	known := r.cache.seen.version(r.id)
	if c := r.copy.Load(); c != nil {
		known = max(known, c.Version)
	}
	return known
}

// restore writes the copy in memory over raw, an older version that the store
// shows again. If another process may have a newer copy, it waits for that. It
// returns the record as it is then.
//
// Errors: store.ErrConflict if another process was quicker, a *store.Fault while
// another process may still write its newer copy, and those of Put.
func (r *Ref[T]) restore(ctx context.Context, raw store.Record, known uint64) (*Record[T], error) {
	held := r.copy.Load()
	c, err := r.kind.open(raw, r.cache.watched())
	if err == nil && c.restored >= known { // by another process
		r.goBack(c)
		return c, nil
	}
	// A refused write counts as known, one version above the copy.
	if newest := held != nil && held.Version+1 >= known; !newest && r.kind.refs != nil {
		if err := r.awaitNewer(ctx, raw); err != nil {
			return nil, err
		}
		if r.cache.seen.olderFor(r.id) < restoreTime {
			return nil, &store.Fault{Op: "records: get", Err: errOlder}
		}
	}
	if held == nil || held.Version <= raw.Version { // the newest version is lost
		if err != nil {
			return nil, err
		}
		r.goBack(c)
		return c, nil
	}
	next := *held
	next.Version, next.restored = raw.Version, known
	if complete := r.kind.codec.Complete; complete != nil && err == nil {
		next.Value = complete(held.Value, c.Value)
	}
	saved, err := r.put(ctx, next)
	if err != nil {
		return nil, err
	}
	r.cache.logger.Warn("store shows an older version of a record: the newer one is written again", slog.String("record", string(r.id)))
	r.goBack(saved)
	return saved, nil
}

// awaitNewer waits for restoreWait, unless another process writes over raw
// before. A change that only says that the watch came up does not end the wait.
//
// Errors: store.ErrConflict if another process has written.
func (r *Ref[T]) awaitNewer(ctx context.Context, raw store.Record) error {
	for until := time.Now().Add(restoreWait); ; {
		changed := r.Changed() // before the read, which then misses no change
		if now, err := r.cache.store.Get(ctx, string(r.id)); err != nil || now.Version != raw.Version {
			return errors.Join(store.ErrConflict, err)
		}
		left := time.Until(until)
		if left <= 0 {
			return nil
		}
		wait(ctx, changed, left)
	}
}

// goBack makes c the copy, whatever versions were known before.
func (r *Ref[T]) goBack(c *Record[T]) {
	r.cache.seen.forgotten(r.id, c.Version)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.newest.Load() != dropped {
		r.newest.Store(c.Version)
	}
	r.copy.Store(r.kind.kept(c))
	r.wake()
}

// deleteAgain deletes a record that was deleted before and that the store shows
// again. It returns store.ErrDeleted: a failure changes nothing for the caller.
func (c *Cache) deleteAgain(ctx context.Context, id ID) error {
	c.logger.Warn("store shows a deleted record: it is deleted again", slog.String("record", string(id)))
	if err := c.store.Delete(ctx, string(id)); err != nil {
		c.logger.Warn("record not deleted again", slog.String("record", string(id)), slog.Any("error", err))
	}
	return store.ErrDeleted
}

// restoreAll reads each record in memory after an interruption of the watch,
// because the store may have forgotten changes, and looks for deleted records.
func (c *Cache) restoreAll() {
	var running sync.WaitGroup
	places := make(chan struct{}, restoreReads)
	start := func(read func(context.Context)) {
		places <- struct{}{}
		running.Go(func() {
			defer func() { <-places }()
			read(c.ctx)
		})
	}
	for _, k := range *c.kinds.Load() {
		k.reread(start)
	}
	for _, id := range c.seen.allDeleted() {
		start(func(ctx context.Context) { c.recheckDeleted(ctx, id) })
	}
	running.Wait()
}

// recheckDeleted deletes a record again if the store shows it.
func (c *Cache) recheckDeleted(ctx context.Context, id ID) {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	if raw, err := c.store.Get(ctx, string(id)); err == nil && c.seen.isDeleted(id, raw.Version) {
		_ = c.deleteAgain(ctx, id)
	}
}
