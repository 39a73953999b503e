// Package pgstore keeps records in PostgreSQL (12 or later).
//
// # Behind a pooler
//
// The store works behind a pooler that lends a connection for one transaction
// (pgbouncer, pool_mode = transaction): it uses no named statements, no settings
// of a session, and no lock that outlives a transaction. Only Watch needs a
// connection of its own, which a pooler cannot give: Config.ListenURL leads past
// it. After each connect the store tests whether notifications arrive. While
// they do not, Watch reports Lost with the reason.
//
// # Schema
//
// Open creates the table and its indexes or upgrades them. Processes that start
// together wait for each other. Afterwards the role needs only SELECT, INSERT,
// UPDATE and DELETE on the table and SELECT on TABLE_schema. A swap that does
// not change the expiry touches no index (HOT).
//
// # Switchover
//
// A server that has become a standby keeps its connections and refuses writes
// (25006). The store then drops the connections of the pool and repeats the
// write on a new one, which must lead to a server that can write.
//
// # Watch
//
// The transaction that makes a change also announces it (NOTIFY), so changes and
// announcements always agree. The price is that such transactions commit one
// after the other: the server makes about as many writes per second as its disk
// makes synchronous writes. A cut connection shows as Lost at once, a silent one
// within Config.Timeout plus 0.3 s. Three times a second the store asks the
// server on this connection for a sign of life.
//
// The driver is github.com/jackc/pgx/v5.
package pgstore

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/internal/lifecycle"
	"b2trader.identity.auth/identity/store/internal/precondition"
)

// A Store keeps records in PostgreSQL.
type Store struct {
	pool         *pgxpool.Pool
	listenConfig *pgx.ConnConfig
	table        string // and channel
	sql          statements
	timeout      time.Duration
	life         *lifecycle.Lifecycle
}

var (
	_ store.Store = (*Store)(nil)
	_ store.Clock = (*Store)(nil)
)

// Open connects, and creates or upgrades the table. ctx bounds only that.
//
// Errors: every problem of the Config, joined, each a *tokenapi.FieldError; a
// *store.Fault; the context's.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	o, err := cfg.options()
	if err != nil {
		return nil, err
	}
	life := lifecycle.New(ctx, "postgres")
	pool, err := pgxpool.NewWithConfig(context.WithoutCancel(ctx), o.pool)
	if err != nil {
		return nil, life.Fault(ctx, "open", err)
	}
	if err = migrate(ctx, pool, o.table); err == nil {
		err = checkRights(ctx, pool, o.table)
	}
	if err != nil {
		pool.Close()
		return nil, life.Fault(ctx, "open", err)
	}
	s := &Store{pool: pool, listenConfig: o.listen, table: o.table, sql: newStatements(o.table), timeout: o.timeout, life: life}
	life.Go(func(ctx context.Context) { life.Hub.Reconnect(ctx, s.listen) })
	life.Sweep(sweepBatch, s.sweep)
	return s, nil
}

// Close ends every Watch. Later calls of other methods fail with
// store.ErrClosed. It always returns nil.
func (s *Store) Close() error {
	return s.life.Close(func() error {
		s.pool.Close()
		return nil
	})
}

// Get returns the record of key.
func (s *Store) Get(ctx context.Context, key string) (store.Record, error) {
	r := store.Record{Key: key}
	var deleted bool
	err := s.call(ctx, "get", reads, func(ctx context.Context) error {
		return s.pool.QueryRow(ctx, s.sql.get, []byte(key)).Scan((*text)(&r.Owner), &r.Version, &deleted, &r.Expires, &r.Value)
	})
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return store.Record{}, store.ErrNotFound
	case err != nil:
		return store.Record{}, err
	case deleted:
		return store.Record{}, store.ErrDeleted
	}
	return r, nil
}

// attempts is how many times Put tries if another process changes the record
// between the statement and the question why the statement did nothing.
const attempts = 5

// Put creates a record or replaces one of a known version.
func (s *Store) Put(ctx context.Context, r store.Record) (version uint64, err error) {
	const op = "put"
	if err := r.Check(); err != nil {
		return 0, err
	}
	r.Expires = r.Expires.Truncate(time.Millisecond)
	for range attempts {
		version, err = s.put(ctx, op, r)
		if !errors.Is(err, pgx.ErrNoRows) {
			return version, err
		}
		if err := s.whyNot(ctx, op, r); err != nil {
			return 0, err
		}
	}
	return 0, s.life.Fault(ctx, op, fmt.Errorf("the record changed during each of %d attempts", attempts))
}

func (s *Store) put(ctx context.Context, op string, r store.Record) (version uint64, err error) {
	value := r.Value
	if value == nil {
		value = []byte{} // nil would be NULL
	}
	err = s.call(ctx, op, writes, func(ctx context.Context) error {
		if r.Version == 0 {
			return s.pool.QueryRow(ctx, s.sql.create, []byte(r.Key), []byte(r.Owner), r.Expires, value, s.table).Scan(&version)
		}
		return s.pool.QueryRow(ctx, s.sql.swap, []byte(r.Key), []byte(r.Owner), r.Expires, value, s.table, r.Version).Scan(&version)
	})
	return version, err
}

// whyNot returns the reason for the refusal of r, or nil if there is none now.
func (s *Store) whyNot(ctx context.Context, op string, r store.Record) error {
	var (
		late, found, deleted bool
		version              uint64
		owner                string
	)
	err := s.call(ctx, op, reads, func(ctx context.Context) error {
		return s.pool.QueryRow(ctx, s.sql.whyNot, []byte(r.Key), r.Expires).Scan(&late, &found, &deleted, &version, (*text)(&owner))
	})
	switch {
	case err != nil:
		return err
	case late:
		return store.Invalid("expiry in the past")
	case !found:
		return precondition.Check(nil, r)
	default:
		return precondition.Check(&precondition.Stored{Deleted: deleted, Version: version, Owner: owner}, r)
	}
}

// Delete deletes the record of key.
func (s *Store) Delete(ctx context.Context, key string) error {
	return s.call(ctx, "delete", writes, func(ctx context.Context) error {
		_, err := s.pool.Exec(ctx, s.sql.delete, []byte(key), s.table)
		return err
	})
}

// List returns the live records of owner.
func (s *Store) List(ctx context.Context, owner string) (list []store.Record, err error) {
	err = s.call(ctx, "list", reads, func(ctx context.Context) error {
		rows, err := s.pool.Query(ctx, s.sql.list, []byte(owner))
		if err != nil {
			return err
		}
		list, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (store.Record, error) {
			r := store.Record{Owner: owner}
			err := row.Scan((*text)(&r.Key), &r.Version, &r.Expires, &r.Value)
			return r, err
		})
		return err
	})
	return list, err
}

// sweepBatch is how many records a sweep removes at most.
const sweepBatch = 500

// sweep removes some of the expired records and tombstones. Processes that sweep
// at the same time share the work.
func (s *Store) sweep(ctx context.Context) (removed int64, err error) {
	err = s.call(ctx, "sweep", reads, func(ctx context.Context) error {
		tag, err := s.pool.Exec(ctx, s.sql.sweep, sweepBatch)
		removed = tag.RowsAffected()
		return err
	})
	return removed, err
}

// Time implements store.Clock by the clock of the server.
func (s *Store) Time(ctx context.Context) (now time.Time, err error) {
	err = s.call(ctx, "time", reads, func(ctx context.Context) error {
		return s.pool.QueryRow(ctx, `SELECT clock_timestamp()`).Scan(&now)
	})
	return now, err
}

// Watch reports changes.
func (s *Store) Watch(ctx context.Context) iter.Seq[store.Event] { return s.life.Hub.Watch(ctx) }

// text is a string that scans bytea.
type text string

// ScanBytes implements pgtype.BytesScanner. pgx uses b again afterwards.
func (t *text) ScanBytes(b []byte) error {
	*t = text(b)
	return nil
}
