package sqlitestore

import (
	"context"
	"database/sql"
	"time"

	"b2trader.identity.auth/identity/store"
)

// pollInterval is how often a process looks for the changes of others.
const pollInterval = 50 * time.Millisecond

// A changeReader reads changes in the order of their versions. That is the
// order of their commits, because SQLite has one writer at a time.
type changeReader struct {
	conn    *sql.Conn
	changes *sql.Stmt
	seen    int64  // PRAGMA data_version, which changes with each commit of another connection
	last    uint64 // the version read last
}

// startWatch reports changes from now on.
func (s *Store) startWatch(ctx context.Context) error {
	conn, err := s.read.Conn(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	r := &changeReader{conn: conn}
	r.changes, err = conn.PrepareContext(ctx, `SELECT key, version, deleted FROM record WHERE version > ? ORDER BY version LIMIT 500`)
	if err == nil {
		err = conn.QueryRowContext(ctx, `SELECT version FROM counter`).Scan(&r.last)
	}
	if err != nil {
		_ = conn.Close()
		return err
	}
	s.life.Hub.Synced(began)
	s.life.Go(func(ctx context.Context) {
		defer func() { _ = conn.Close() }()
		s.reportChanges(ctx, r)
	})
	return nil
}

func (s *Store) reportChanges(ctx context.Context, r *changeReader) {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	lost := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.writer.changed:
		case <-tick.C:
		}
		began := time.Now()
		err := r.publishNew(context.WithoutCancel(ctx), s.life.Hub.Publish)
		switch {
		case err != nil:
			s.life.Hub.Lost(err)
			lost = true
		case lost: // the Hub publishes nothing between Lost and Synced
			s.life.Hub.Synced(began)
			lost = false
		default:
			s.life.Hub.Alive(began)
		}
	}
}

// publishNew publishes the changes that were committed since its last call.
func (r *changeReader) publishNew(ctx context.Context, publish func(store.Event)) error {
	var seen int64
	if err := r.conn.QueryRowContext(ctx, `PRAGMA data_version`).Scan(&seen); err != nil || seen == r.seen {
		return err
	}
	for {
		before := r.last
		if err := r.publishPage(ctx, publish); err != nil {
			return err
		}
		if r.last == before {
			r.seen = seen
			return nil
		}
	}
}

// publishPage publishes the next changes.
func (r *changeReader) publishPage(ctx context.Context, publish func(store.Event)) error {
	rows, err := r.changes.QueryContext(ctx, r.last)
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
		r.last = e.Version
	}
	return rows.Err()
}
