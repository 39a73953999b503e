package sqlitestore

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/storetest/servers"
)

func put(t *testing.T, s *Store, key string) store.Record {
	t.Helper()
	r := store.Record{Key: key, Owner: "owner", Value: []byte("value"), Expires: time.Now().Add(time.Hour)}
	version, err := s.Put(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	r.Version = version
	return r
}

func TestConfigProblemsComeTogether(t *testing.T) {
	_, err := Open(t.Context(), Config{Timeout: -1})
	if err == nil || !strings.Contains(err.Error(), "File") || !strings.Contains(err.Error(), "Timeout") {
		t.Errorf("got %v", err)
	}
}

func TestFileIsPrivateAndMayHaveAnyName(t *testing.T) {
	file := filepath.Join(t.TempDir(), "my 100% #1? [file].db")
	s := open(t, file)
	put(t, s, "key")
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(file + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", info.Name(), info.Mode())
		}
	}
}

func TestFileThatIsNotOurs(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte(strings.Repeat("not a database\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	foreign, newer := filepath.Join(dir, "foreign.db"), filepath.Join(dir, "newer.db")
	execute(t, foreign, "CREATE TABLE record (n INTEGER)")
	if err := open(t, newer).Close(); err != nil {
		t.Fatal(err)
	}
	execute(t, newer, "PRAGMA user_version = 99")
	for file, says := range map[string]string{text: "not a database", foreign: "something else", newer: "newer release",
		filepath.Join(dir, "none", "x.db"): "no such file"} {
		s, err := Open(t.Context(), Config{File: file})
		if err == nil {
			_ = s.Close()
		}
		if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: got %v", filepath.Base(file), err)
		}
	}
}

// execute changes a file behind the store's back.
func execute(t *testing.T, file, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

// Replicas that start together find one schema.
func TestOpenTogether(t *testing.T) {
	file := filepath.Join(t.TempDir(), "sessions.db")
	var running errgroup.Group
	for i := range 8 {
		running.Go(func() error {
			s, err := Open(t.Context(), Config{File: file})
			if err != nil {
				return err
			}
			_, err = s.Put(t.Context(), store.Record{Key: fmt.Sprint("key ", i), Owner: "owner", Expires: time.Now().Add(time.Hour)})
			return errors.Join(err, s.Close())
		})
	}
	if err := running.Wait(); err != nil {
		t.Fatal(err)
	}
	if list, err := open(t, file).List(t.Context(), "owner"); len(list) != 8 {
		t.Errorf("%d records, %v", len(list), err)
	}
}

// A process that holds the lock for too long is an outage of writes, not of reads, and it heals.
func TestLockedByAnother(t *testing.T) {
	file := filepath.Join(t.TempDir(), "sessions.db")
	s, err := Open(t.Context(), Config{File: file, Timeout: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	r := put(t, s, "key")
	other := open(t, file)
	err = transact(t.Context(), other.writer.conn, time.Second, func() error {
		if _, err := s.Put(t.Context(), r); !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("Put: %v", err)
		}
		if _, err := s.Get(t.Context(), "key"); err != nil {
			t.Errorf("Get: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(t.Context(), r); err != nil {
		t.Errorf("after the lock was given back: %v", err)
	}
}

// A write that waits for its turn does not outlast Close.
func TestCloseWhileWaiting(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "sessions.db"))
	s.writer.turn <- struct{}{} // someone writes
	var waiting, closing errgroup.Group
	waiting.Go(func() error {
		_, err := s.Put(t.Context(), store.Record{Key: "key", Expires: time.Now().Add(time.Hour)})
		return err
	})
	servers.Until(t, func() bool {
		s.writer.mu.Lock()
		defer s.writer.mu.Unlock()
		return len(s.writer.queue) == 1
	})
	closing.Go(s.Close)
	if err := waiting.Wait(); !errors.Is(err, store.ErrClosed) {
		t.Errorf("got %v", err)
	}
	<-s.writer.turn
	if err := closing.Wait(); err != nil {
		t.Error(err)
	}
}

func TestSweep(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "sessions.db"))
	for i := range 40 {
		put(t, s, fmt.Sprint("long ", i))
		put(t, s, fmt.Sprint("short ", i))
		if i%2 == 0 {
			if err := s.Delete(t.Context(), fmt.Sprint("short ", i)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := s.writer.conn.ExecContext(t.Context(), "UPDATE record SET expires = 1 WHERE CAST(key AS TEXT) LIKE 'short%'"); err != nil {
		t.Fatal(err)
	}
	removed, err := s.writer.sweep(t.Context())
	if err != nil || removed != 40 {
		t.Errorf("%d removed, %v", removed, err)
	}
	if list, err := s.List(t.Context(), "owner"); len(list) != 40 {
		t.Errorf("%d records are left, %v", len(list), err)
	}
}

// Nothing that runs often may read the whole table.
func TestQueriesUseIndexes(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "sessions.db"))
	for query, index := range map[string]string{
		listSQL: "record_owner (owner=? AND expires>?)",
		"SELECT key FROM record WHERE version > ? ORDER BY version LIMIT 500":       "record_version (version>?)",
		"SELECT id FROM record WHERE expires <= ? ORDER BY expires LIMIT 500":       "record_expires (expires<?)",
		"SELECT owner, version FROM record WHERE key = ? AND expires > unixepoch()": "sqlite_autoindex_record_1 (key=?)",
	} {
		var id, parent, unused int
		var plan string
		row := s.read.QueryRowContext(t.Context(), "EXPLAIN QUERY PLAN "+query, []byte("x"), 1)
		if strings.Count(query, "?") == 1 {
			row = s.read.QueryRowContext(t.Context(), "EXPLAIN QUERY PLAN "+query, []byte("x"))
		}
		if err := row.Scan(&id, &parent, &unused, &plan); err != nil || !strings.Contains(plan, index) {
			t.Errorf("%s: %s, %v", query, plan, err)
		}
	}
}
