// Package sqlitestore keeps records in a SQLite file, for services on one
// machine: one process, or several that share the file.
//
// A write is on the disk when Put or Delete returns (journal_mode WAL,
// synchronous FULL), so it survives kill -9 and a power cut. Writes that wait
// for each other share one commit. Reads and writes do not block each other.
// The file must be on a local disk, because WAL does not work over a network
// (https://www.sqlite.org/wal.html). SQLite adds two files, FILE-wal and
// FILE-shm. Copy a database with SQLite's own backup and not with cp. The file
// does not shrink: SQLite uses the space of removed records again.
//
// A process that is stopped (SIGSTOP) in the middle of a commit holds the lock of
// the file, and SQLite has no way to take it away. The other processes then read
// and cannot write, until that process continues or ends.
//
// Watch reports the changes of its own process at once and those of other
// processes within 50 ms. It is interrupted only while the file cannot be read.
//
// The driver is modernc.org/sqlite, which needs no cgo.
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
	"strings"
	"time"

	"b2trader.identity.auth/identity/internal/checkconfig"
	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/internal/lifecycle"
)

// A Config locates the records.
type Config struct {
	File    string        // created with mode 0600; its directory must exist
	Timeout time.Duration // of the wait while another process writes; 0: 5 s
}

// A Store keeps records in a file.
type Store struct {
	read   *sql.DB // several connections
	get    *sql.Stmt
	list   *sql.Stmt
	writer *writer
	life   *lifecycle.Lifecycle
}

var (
	_ store.Store = (*Store)(nil)
	_ store.Clock = (*Store)(nil)
)

// Open opens the file and creates or upgrades its tables. ctx bounds only that.
//
// Errors: every problem of the Config, joined, each a *tokenapi.FieldError; a
// *store.Fault; the context's.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 5 * time.Second
	}
	s := &Store{life: lifecycle.New(ctx, "sqlite")}
	if err := s.open(ctx, cfg); err != nil {
		return nil, errors.Join(s.life.Fault(ctx, "open", err), s.Close())
	}
	s.life.Sweep(sweepBatch, s.writer.sweep)
	return s, nil
}

func (c Config) check() error {
	p := checkconfig.Problems{Package: "sqlitestore"}
	p.Missing("File", c.File == "")
	p.Negative("Timeout", c.Timeout < 0)
	return p.Err()
}

// create creates the file. SQLite would create it readable for others.
func create(file string) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // the operator names the file
	if err != nil {
		return err
	}
	return f.Close()
}

func (s *Store) open(ctx context.Context, cfg Config) (err error) {
	if err := create(cfg.File); err != nil {
		return err
	}
	name, err := cfg.dataSource()
	if err != nil {
		return err
	}
	// The last process that closes the file locks it meanwhile, and SQLite does
	// not wait for that lock when it opens a file.
	err = retryWhileLocked(ctx, cfg.Timeout, func() (err error) {
		s.writer, err = newWriter(ctx, name, cfg.Timeout, s.life)
		return err
	})
	if err != nil {
		return err
	}
	if s.read, err = sql.Open("sqlite", name+"&_pragma=query_only(1)"); err != nil {
		return err
	}
	s.read.SetMaxOpenConns(max(4, runtime.GOMAXPROCS(0)) + 1) // one reads changes
	s.read.SetMaxIdleConns(max(4, runtime.GOMAXPROCS(0)) + 1)
	if s.get, err = s.read.PrepareContext(ctx, `SELECT owner, version, deleted, expires, value FROM record WHERE key = ? AND expires > ?`); err != nil {
		return err
	}
	if s.list, err = s.read.PrepareContext(ctx, listSQL); err != nil {
		return err
	}
	return s.startWatch(ctx)
}

const listSQL = `SELECT key, version, expires, value FROM record WHERE owner = ? AND owner <> x'' AND deleted = 0 AND expires > ?`

// dataSource returns a URI (https://www.sqlite.org/uri.html) with parameters of
// the driver.
func (c Config) dataSource() (string, error) {
	path, err := filepath.Abs(c.File)
	if err != nil {
		return "", err
	}
	parameters := url.Values{"_pragma": {
		fmt.Sprintf("busy_timeout(%d)", c.Timeout.Milliseconds()), "journal_mode(WAL)", "synchronous(FULL)", "journal_size_limit(67108864)",
	}}
	return fileURI(filepath.ToSlash(path), parameters), nil
}

// fileURI returns the URI of an absolute path with slashes. On Windows the path
// begins with a drive or with two slashes.
func fileURI(path string, parameters url.Values) string {
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: parameters.Encode()}).String()
}

// Close waits for running writes and ends every Watch. Later calls of other
// methods fail with store.ErrClosed.
func (s *Store) Close() error {
	return s.life.Close(func() (err error) {
		if s.writer != nil {
			err = s.writer.close()
		}
		if s.read != nil {
			err = errors.Join(err, s.read.Close())
		}
		return err
	})
}

// Get returns the record of key.
func (s *Store) Get(ctx context.Context, key string) (store.Record, error) {
	const op = "get"
	if err := s.life.Check(ctx, op); err != nil {
		return store.Record{}, err
	}
	var (
		r       = store.Record{Key: key}
		deleted bool
		expires int64
	)
	// A read takes microseconds and never waits. Without a context that ends, the
	// driver starts no goroutine to interrupt it.
	row := s.get.QueryRowContext(context.WithoutCancel(ctx), []byte(key), time.Now().UnixMilli())
	switch err := row.Scan(&r.Owner, &r.Version, &deleted, &expires, &r.Value); {
	case errors.Is(err, sql.ErrNoRows):
		return store.Record{}, store.ErrNotFound
	case err != nil:
		return store.Record{}, s.life.Fault(ctx, op, err)
	case deleted:
		return store.Record{}, store.ErrDeleted
	}
	r.Expires = time.UnixMilli(expires)
	return r, nil
}

// Put creates a record or replaces one of a known version.
func (s *Store) Put(ctx context.Context, r store.Record) (uint64, error) {
	if err := r.Check(); err != nil {
		return 0, err
	}
	if err := s.life.Check(ctx, "put"); err != nil {
		return 0, err
	}
	return s.writer.do(ctx, &change{record: r})
}

// Delete deletes the record of key.
func (s *Store) Delete(ctx context.Context, key string) error {
	if err := s.life.Check(ctx, "delete"); err != nil {
		return err
	}
	_, err := s.writer.do(ctx, &change{record: store.Record{Key: key}, delete: true})
	return err
}

// List returns the live records of owner.
func (s *Store) List(ctx context.Context, owner string) ([]store.Record, error) {
	const op = "list"
	if err := s.life.Check(ctx, op); err != nil {
		return nil, err
	}
	rows, err := s.list.QueryContext(ctx, []byte(owner), time.Now().UnixMilli())
	if err != nil {
		return nil, s.life.Fault(ctx, op, err)
	}
	defer func() { _ = rows.Close() }()
	var list []store.Record
	for rows.Next() {
		r := store.Record{Owner: owner}
		var expires int64
		if err := rows.Scan(&r.Key, &r.Version, &expires, &r.Value); err != nil {
			return nil, s.life.Fault(ctx, op, err)
		}
		r.Expires = time.UnixMilli(expires)
		list = append(list, r)
	}
	return list, s.life.Fault(ctx, op, rows.Err())
}

// Time implements store.Clock by the clock of this machine.
func (s *Store) Time(ctx context.Context) (time.Time, error) {
	return time.Now(), s.life.Check(ctx, "time")
}

// Watch reports changes.
func (s *Store) Watch(ctx context.Context) iter.Seq[store.Event] { return s.life.Hub.Watch(ctx) }
