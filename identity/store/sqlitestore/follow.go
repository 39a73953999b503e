package sqlitestore

import (
	"context"
	"database/sql"
	"time"

	"b2trader.identity.auth/identity/store"
)

const (
	lookInterval  = 50 * time.Millisecond // for changes by other processes
	sweepInterval = time.Minute
	sweepBatch    = 500 // a sweep keeps writers waiting no longer than this many removals take
)

// A follower reads the changes in the order of their versions, which is that of their commits, since SQLite has one
// writer at a time.
type follower struct {
	conn    *sql.Conn
	changes *sql.Stmt
	seen    int64  // PRAGMA data_version: differs after any other connection has committed
	last    uint64 // the version read last
}

// follow starts to report changes.
func (s *Store) follow(ctx context.Context) error {
	conn, err := s.read.Conn(ctx)
	if err != nil {
		return err
	}
	f := &follower{conn: conn}
	f.changes, err = conn.PrepareContext(ctx, `SELECT key, version, deleted FROM record WHERE version > ? ORDER BY version LIMIT 500`)
	if err == nil {
		err = conn.QueryRowContext(ctx, `SELECT version FROM counter`).Scan(&f.last)
	}
	if err != nil {
		_ = conn.Close()
		return err
	}
	s.hub.Synced()
	s.running.Go(func() {
		defer func() { _ = conn.Close() }()
		s.followOn(ctx, f)
	})
	return nil
}

func (s *Store) followOn(ctx context.Context, f *follower) {
	tick := time.NewTicker(lookInterval)
	defer tick.Stop()
	lost := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.writer.changed:
		case <-tick.C:
		}
		err := f.look(context.WithoutCancel(ctx), s.hub.Publish)
		switch {
		case err != nil:
			s.hub.Lost(err)
			lost = true
		case lost: // nothing was skipped, but the readers were told to count on it
			s.hub.Synced()
			lost = false
		}
	}
}

// look publishes what was committed since the last look.
func (f *follower) look(ctx context.Context, publish func(store.Event)) error {
	var seen int64
	if err := f.conn.QueryRowContext(ctx, `PRAGMA data_version`).Scan(&seen); err != nil || seen == f.seen {
		return err
	}
	for {
		before := f.last
		if err := f.page(ctx, publish); err != nil {
			return err
		}
		if f.last == before {
			f.seen = seen
			return nil
		}
	}
}

func (f *follower) page(ctx context.Context, publish func(store.Event)) error {
	rows, err := f.changes.QueryContext(ctx, f.last)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		e := store.Event{Kind: store.Changed}
		var deleted bool
		if err := rows.Scan(&e.Key, &e.Version, &deleted); err != nil {
			return err
		}
		if deleted {
			e.Kind = store.Deleted
		}
		publish(e)
		f.last = e.Version
	}
	return rows.Err()
}

// sweepOften removes what has expired, a little at a time. A fault is left to the next sweep: it shows in other calls.
func (s *Store) sweepOften(ctx context.Context) {
	tick := time.NewTicker(sweepInterval)
	defer tick.Stop()
	for {
		for {
			removed, err := s.writer.sweep(ctx)
			if err != nil || removed < sweepBatch {
				break
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// sweep removes some of the records and tombstones that have expired.
func (w *writer) sweep(ctx context.Context) (removed int64, err error) {
	select {
	case w.turn <- struct{}{}:
		defer func() { <-w.turn }()
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	result, err := w.conn.ExecContext(context.WithoutCancel(ctx),
		`DELETE FROM record WHERE id IN (SELECT id FROM record WHERE expires <= ? ORDER BY expires LIMIT ?)`, time.Now().UnixMilli(), sweepBatch)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}
