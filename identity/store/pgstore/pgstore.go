// Package pgstore keeps records in PostgreSQL (12 or later).
//
// # Behind a pooler
//
// The store works behind a proxy that lends a connection for one transaction (pgbouncer, pool_mode = transaction): it
// names no prepared statement, sets nothing on a session and takes no lock that outlives a transaction. Only Watch
// needs a connection of its own, which such a proxy cannot give: Config.ListenURL leads past it. Whether
// notifications arrive is tried after each connect; while they do not, Watch reports Lost with the reason.
//
// # Schema
//
// Open makes the table and its indexes or brings them up to date; processes that start together wait for each other.
// Once that is done the role needs no more than SELECT, INSERT, UPDATE and DELETE on the table and SELECT on
// TABLE_schema. A swap that does not change the expiry touches no index (HOT).
//
// # Watch
//
// A change is announced by NOTIFY in the transaction that makes it, so it is announced if and only if it is made. The
// price is that such transactions commit one after the other: a server makes about as many writes per second as its
// disk makes synchronous writes. A cut connection shows as Lost at once, a silent one within Config.Timeout and two
// seconds.
//
// The driver is github.com/jackc/pgx/v5.
package pgstore

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/internal/feed"
	"b2trader.identity.auth/identity/store/internal/rule"
)

// A Store keeps records in PostgreSQL.
type Store struct {
	pool    *pgxpool.Pool
	listen  *pgx.ConnConfig
	channel string
	sql     statements
	timeout time.Duration
	hub     feed.Hub

	stop    context.CancelFunc
	running sync.WaitGroup
	closed  chan struct{}
	once    sync.Once
}

var _ store.Store = (*Store)(nil)

// Open connects, and makes or upgrades the table. ctx bounds both.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	o, err := cfg.options()
	if err != nil {
		return nil, err
	}
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	pool, err := pgxpool.NewWithConfig(background, o.pool)
	if err != nil {
		stop()
		return nil, store.NewFault(ctx, "postgres: open", err)
	}
	if err := migrate(ctx, pool, o.table); err != nil {
		stop()
		pool.Close()
		return nil, store.NewFault(ctx, "postgres: open", err)
	}
	s := &Store{
		pool: pool, listen: o.listen, channel: o.table, sql: newStatements(o.table), timeout: o.timeout,
		stop: stop, closed: make(chan struct{}),
	}
	s.running.Go(func() { s.hub.Follow(background, s.listenOnce) })
	s.running.Go(func() { s.sweepOften(background) })
	return s, nil
}

// Close ends every Watch. Afterwards all methods fail with store.ErrClosed. It always returns nil.
func (s *Store) Close() error {
	s.once.Do(func() {
		close(s.closed)
		s.stop()
		s.hub.Close()
		s.running.Wait()
		s.pool.Close()
	})
	return nil
}

// Get returns the record of key.
func (s *Store) Get(ctx context.Context, key string) (store.Record, error) {
	r := store.Record{Key: key}
	var deleted bool
	err := s.call(ctx, "postgres: get", reads, func(ctx context.Context) error {
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

// attempts bounds how often Put tries when the record changes between its statement and the question why that did
// nothing.
const attempts = 5

// Put creates a record or replaces one of a known version.
func (s *Store) Put(ctx context.Context, r store.Record) (version uint64, err error) {
	const op = "postgres: put"
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
	return 0, store.NewFault(ctx, op, fmt.Errorf("the record kept changing, %d times", attempts))
}

func (s *Store) put(ctx context.Context, op string, r store.Record) (version uint64, err error) {
	value := r.Value
	if value == nil {
		value = []byte{} // nil would be NULL
	}
	err = s.call(ctx, op, writes, func(ctx context.Context) error {
		if r.Version == 0 {
			return s.pool.QueryRow(ctx, s.sql.create, []byte(r.Key), []byte(r.Owner), r.Expires, value, s.channel).Scan(&version)
		}
		return s.pool.QueryRow(ctx, s.sql.swap, []byte(r.Key), []byte(r.Owner), r.Expires, value, s.channel, r.Version).Scan(&version)
	})
	return version, err
}

// whyNot says why r could not be put, or nil if now it could.
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
		return rule.Refuse(nil, r)
	default:
		return rule.Refuse(&rule.Present{Deleted: deleted, Version: version, Owner: owner}, r)
	}
}

// Delete ends the record of key.
func (s *Store) Delete(ctx context.Context, key string) error {
	return s.call(ctx, "postgres: delete", writes, func(ctx context.Context) error {
		_, err := s.pool.Exec(ctx, s.sql.bury, []byte(key), s.channel)
		return err
	})
}

// List returns the live records of owner.
func (s *Store) List(ctx context.Context, owner string) (list []store.Record, err error) {
	err = s.call(ctx, "postgres: list", reads, func(ctx context.Context) error {
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

// Watch reports what changes.
func (s *Store) Watch(ctx context.Context) iter.Seq[store.Event] { return s.hub.Watch(ctx) }

// text scans bytea into a string.
type text string

// ScanBytes is called by pgx with bytes that it will use again.
func (t *text) ScanBytes(b []byte) error {
	*t = text(b)
	return nil
}
