// Package sqlitestore keeps records in one SQLite file, for services on one machine: one process, or several that
// share the file.
//
// A write is on the disk when it is acknowledged (journal_mode WAL, synchronous FULL): it survives kill -9 and a
// power cut. Writes that wait for each other share one commit. Reads block nobody and are blocked by nobody. The file
// must be on a local disk: WAL does not work over a network (https://www.sqlite.org/wal.html). Besides the file there
// are two more, FILE-wal and FILE-shm; copy a database with SQLite's own backup, not with cp. The space of removed
// records is used again, the file does not shrink.
//
// Watch reports this process's changes at once and those of other processes within 50 milliseconds. It is interrupted
// only while the file cannot be read.
//
// The driver is modernc.org/sqlite: no cgo.
package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/internal/feed"
)

// A Config says where the records are.
type Config struct {
	File    string        // made with mode 0600 if it is not there; its directory must be
	Timeout time.Duration // for the lock while another process writes; 0: 5 s
}

// A Store keeps records in a file.
type Store struct {
	read   *sql.DB // several connections
	get    *sql.Stmt
	list   *sql.Stmt
	writer *writer
	hub    feed.Hub

	stop    context.CancelFunc
	running sync.WaitGroup
	closed  chan struct{}
	once    sync.Once
}

var _ store.Store = (*Store)(nil)

// Open opens the file, and makes or upgrades its tables.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 5 * time.Second
	}
	if err := touch(cfg.File); err != nil {
		return nil, store.NewFault(ctx, "sqlite: open", err)
	}
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	s := &Store{stop: stop, closed: make(chan struct{})}
	if err := s.open(ctx, cfg); err != nil {
		return nil, errors.Join(store.NewFault(ctx, "sqlite: open", err), s.Close())
	}
	if err := s.follow(background); err != nil {
		return nil, errors.Join(store.NewFault(ctx, "sqlite: open", err), s.Close())
	}
	s.running.Go(func() { s.sweepOften(background) })
	return s, nil
}

func (c Config) check() error {
	var problems []error
	if c.File == "" {
		problems = append(problems, errors.New("sqlitestore: Config.File is empty"))
	}
	if c.Timeout < 0 {
		problems = append(problems, errors.New("sqlitestore: Config.Timeout is negative"))
	}
	return errors.Join(problems...)
}

// touch makes the file before SQLite does, which would let others read it.
func touch(file string) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // the operator names it
	if err != nil {
		return err
	}
	return f.Close()
}

func (s *Store) open(ctx context.Context, cfg Config) (err error) {
	name, err := cfg.dataSource()
	if err != nil {
		return err
	}
	// The last process to close the file locks it for that, and SQLite does not wait for its end when it opens one.
	err = insist(ctx, cfg.Timeout, func() (err error) {
		s.writer, err = newWriter(ctx, name, cfg.Timeout, s.closed)
		return err
	})
	if err != nil {
		return err
	}
	if s.read, err = sql.Open("sqlite", name+"&_pragma=query_only(1)"); err != nil {
		return err
	}
	s.read.SetMaxOpenConns(max(4, runtime.GOMAXPROCS(0)) + 1) // one is the feed's
	s.read.SetMaxIdleConns(max(4, runtime.GOMAXPROCS(0)) + 1)
	if s.get, err = s.read.PrepareContext(ctx, `SELECT owner, version, deleted, expires, value FROM record WHERE key = ? AND expires > ?`); err != nil {
		return err
	}
	s.list, err = s.read.PrepareContext(ctx, listSQL)
	return err
}

const listSQL = `SELECT key, version, expires, value FROM record WHERE owner = ? AND owner <> x'' AND deleted = 0 AND expires > ?`

// dataSource is a URI as in https://www.sqlite.org/uri.html, with the driver's parameters.
func (c Config) dataSource() (string, error) {
	path, err := filepath.Abs(c.File)
	if err != nil {
		return "", err
	}
	parameters := url.Values{"_pragma": {
		fmt.Sprintf("busy_timeout(%d)", c.Timeout.Milliseconds()), "journal_mode(WAL)", "synchronous(FULL)", "journal_size_limit(67108864)",
	}}
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: parameters.Encode()}).String(), nil
}

// Close waits for running writes and ends every Watch. Afterwards all methods fail with store.ErrClosed.
func (s *Store) Close() error {
	var err error
	s.once.Do(func() {
		close(s.closed)
		s.stop()
		s.hub.Close()
		s.running.Wait()
		if s.writer != nil {
			err = s.writer.close()
		}
		if s.read != nil {
			err = errors.Join(err, s.read.Close())
		}
	})
	return err
}

// begin says why a call cannot begin.
func (s *Store) begin(ctx context.Context, op string) error {
	select {
	case <-s.closed:
		return store.NewFault(ctx, op, store.ErrClosed)
	default:
		return store.NewFault(ctx, op, ctx.Err())
	}
}

// Get returns the record of key.
func (s *Store) Get(ctx context.Context, key string) (store.Record, error) {
	const op = "sqlite: get"
	if err := s.begin(ctx, op); err != nil {
		return store.Record{}, err
	}
	var (
		r       = store.Record{Key: key}
		deleted bool
		expires int64
	)
	// Reads take microseconds and wait for nothing, so they are not worth the goroutine that the driver starts to
	// interrupt them.
	row := s.get.QueryRowContext(context.WithoutCancel(ctx), []byte(key), time.Now().UnixMilli())
	switch err := row.Scan(&r.Owner, &r.Version, &deleted, &expires, &r.Value); {
	case errors.Is(err, sql.ErrNoRows):
		return store.Record{}, store.ErrNotFound
	case err != nil:
		return store.Record{}, store.NewFault(ctx, op, err)
	case deleted:
		return store.Record{}, store.ErrDeleted
	}
	r.Expires = time.UnixMilli(expires)
	return r, nil
}

// Put creates a record or replaces one of a known version.
func (s *Store) Put(ctx context.Context, r store.Record) (uint64, error) {
	const op = "sqlite: put"
	if err := r.Check(); err != nil {
		return 0, err
	}
	if err := s.begin(ctx, op); err != nil {
		return 0, err
	}
	return s.writer.do(ctx, op, &change{record: r})
}

// Delete ends the record of key.
func (s *Store) Delete(ctx context.Context, key string) error {
	const op = "sqlite: delete"
	if err := s.begin(ctx, op); err != nil {
		return err
	}
	_, err := s.writer.do(ctx, op, &change{record: store.Record{Key: key}, delete: true})
	return err
}

// List returns the live records of owner.
func (s *Store) List(ctx context.Context, owner string) ([]store.Record, error) {
	const op = "sqlite: list"
	if err := s.begin(ctx, op); err != nil {
		return nil, err
	}
	rows, err := s.list.QueryContext(ctx, []byte(owner), time.Now().UnixMilli())
	if err != nil {
		return nil, store.NewFault(ctx, op, err)
	}
	defer func() { _ = rows.Close() }()
	var list []store.Record
	for rows.Next() {
		r := store.Record{Owner: owner}
		var expires int64
		if err := rows.Scan(&r.Key, &r.Version, &expires, &r.Value); err != nil {
			return nil, store.NewFault(ctx, op, err)
		}
		r.Expires = time.UnixMilli(expires)
		list = append(list, r)
	}
	return list, store.NewFault(ctx, op, rows.Err())
}

// Watch reports what changes.
func (s *Store) Watch(ctx context.Context) iter.Seq[store.Event] { return s.hub.Watch(ctx) }
