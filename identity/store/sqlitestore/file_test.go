package sqlitestore

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/storetest"
)

func TestConfigProblemsComeTogether(t *testing.T) {
	t.Parallel()
	_, err := Open(t.Context(), Config{Timeout: -1})
	if err == nil || !strings.Contains(err.Error(), "File") || !strings.Contains(err.Error(), "Timeout") {
		t.Errorf("Open(negative Timeout, no File) = %v, want both fields named", err)
	}
}

func TestFileIsPrivateAndMayHaveAnyName(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "my 100% #1? [file].db")
	s := open(t, file)
	storetest.Put(t, s, store.Record{Key: "key"})
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(file + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, want 0600", info.Name(), info.Mode())
		}
	}
}

func TestFileURI(t *testing.T) { // field 35
	t.Parallel()
	for path, want := range map[string]string{
		"/var/lib/sessions.db":       "file:///var/lib/sessions.db?mode=rw",
		"/var/my 100% #1?.db":        "file:///var/my%20100%25%20%231%3F.db?mode=rw",
		"C:/Program Files/s.db":      "file:///C:/Program%20Files/s.db?mode=rw",
		"//server/share/sessions.db": "file:////server/share/sessions.db?mode=rw",
	} {
		if got := fileURI(path, url.Values{"mode": {"rw"}}); got != want {
			t.Errorf("fileURI(%q) = %q, want %q", path, got, want)
		}
	}
}

func TestOpenRefusesOtherFiles(t *testing.T) {
	t.Parallel()
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
	for file, says := range map[string]string{text: "not a database", foreign: "another application", newer: "newer release",
		filepath.Join(dir, "none", "x.db"): "no such file"} {
		s, err := Open(t.Context(), Config{File: file})
		if err == nil {
			_ = s.Close()
		}
		if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), says) {
			t.Errorf("Open(%s) = %v, want ErrUnavailable that says %q", filepath.Base(file), err, says)
		}
	}
}

// execute changes a file without a Store.
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

// Processes that start together create one schema.
func TestOpenTogether(t *testing.T) {
	t.Parallel()
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
		t.Errorf("List = %d records, %v, want 8", len(list), err)
	}
}

// While another process holds the lock, writes fail and reads work. Writes work
// again afterwards.
func TestLockedByAnother(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "sessions.db")
	s, err := Open(t.Context(), Config{File: file, Timeout: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	r := storetest.Put(t, s, store.Record{Key: "key"})
	other := open(t, file)
	err = transact(t.Context(), other.writer.conn, time.Minute, func() error {
		if _, err := s.Put(t.Context(), r); !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("Put while another process holds the lock = %v, want ErrUnavailable", err)
		}
		if _, err := s.Get(t.Context(), "key"); err != nil {
			t.Errorf("Get while another process holds the lock = %v, want no error", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	storetest.Until(t, func() bool { // the other store may sweep at this moment
		_, err := s.Put(t.Context(), r)
		return err == nil
	})
}

// Close ends a write that waits for its turn.
func TestCloseWhileWaiting(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "sessions.db"))
	s.writer.turn <- struct{}{} // another caller writes
	var waiting, closing errgroup.Group
	waiting.Go(func() error {
		_, err := s.Put(t.Context(), store.Record{Key: "key", Expires: time.Now().Add(time.Hour)})
		return err
	})
	storetest.Until(t, func() bool {
		s.writer.mu.Lock()
		defer s.writer.mu.Unlock()
		return len(s.writer.queue) == 1
	})
	closing.Go(s.Close)
	if err := waiting.Wait(); !errors.Is(err, store.ErrClosed) {
		t.Errorf("Put during Close = %v, want ErrClosed", err)
	}
	<-s.writer.turn
	if err := closing.Wait(); err != nil {
		t.Error(err)
	}
}

func TestSweep(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "sessions.db"))
	for i := range 40 {
		storetest.Put(t, s, store.Record{Key: fmt.Sprint("long ", i)})
		storetest.Put(t, s, store.Record{Key: fmt.Sprint("short ", i)})
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
		t.Errorf("sweep = %d, %v, want 40 removed records", removed, err)
	}
	if list, err := s.List(t.Context(), "owner"); len(list) != 40 {
		t.Errorf("List after sweep = %d records, %v, want 40", len(list), err)
	}
}

// No frequent query reads the whole table.
func TestQueriesUseIndexes(t *testing.T) {
	t.Parallel()
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
			t.Errorf("plan of %s = %q, %v, want %q", query, plan, err, index)
		}
	}
}
