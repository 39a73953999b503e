package sqlitestore

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/storetest"
)

const (
	childFile  = "B2TRADER_TEST_SQLITE_CHILD"
	holderFile = "B2TRADER_TEST_SQLITE_HOLDER"
)

// TestMain can turn the test binary into a process that writes until it is
// killed, or into one that holds the lock of the file.
func TestMain(m *testing.M) {
	if file := os.Getenv(holderFile); file != "" {
		fmt.Fprintln(os.Stderr, holdLock(context.Background(), file))
		os.Exit(1)
	}
	if file := os.Getenv(childFile); file != "" {
		fmt.Fprintln(os.Stderr, writeUntilKilled(context.Background(), file))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// writeUntilKilled prints "key version" for each acknowledged write.
func writeUntilKilled(ctx context.Context, file string) error {
	s, err := Open(ctx, Config{File: file})
	if err != nil {
		return err
	}
	var running errgroup.Group
	for i := range 8 {
		running.Go(func() error {
			r := store.Record{Owner: fmt.Sprint("owner ", i), Expires: time.Now().Add(time.Hour)}
			for n := 0; ; n++ {
				if n%4 == 0 { // a new record after a few swaps
					r.Key, r.Version = fmt.Sprintf("%d/%d/%d", os.Getpid(), i, n), 0
				}
				r.Value = []byte(strings.Repeat(fmt.Sprint(n, " "), 200))
				version, err := s.Put(ctx, r)
				if err != nil {
					return err
				}
				r.Version = version
				if _, err := fmt.Printf("%s %d\n", r.Key, version); err != nil { // one system call
					return err
				}
			}
		})
	}
	return running.Wait()
}

// holdLock begins a transaction, prints a line and waits until it is killed.
func holdLock(ctx context.Context, file string) error {
	s, err := Open(ctx, Config{File: file})
	if err != nil {
		return err
	}
	return transact(ctx, s.writer.conn, time.Minute, func() error {
		fmt.Println("locked")
		select {}
	})
}

// An acknowledged write is complete after kill -9, and the file works on. This
// process watches the writes of the killed one.
func TestKillInTheMiddleOfWrites(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "sessions.db")
	s := open(t, file)
	for round := range 3 {
		acknowledged := killAfter(t, s, file, 300*(round+1))
		checkAll(t, s, acknowledged)
		checkAll(t, open(t, file), acknowledged)
	}
	storetest.Put(t, s, store.Record{Key: "after the crashes"})
	var verdict string
	if err := s.read.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("PRAGMA integrity_check = %q, %v, want ok", verdict, err)
	}
}

// killAfter kills a writing process after n acknowledged writes and returns the
// acknowledged versions.
func killAfter(t *testing.T, s *Store, file string, n int) map[string]uint64 {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childFile+"="+file)
	cmd.Stderr = os.Stderr
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var last string
	acknowledged := map[string]uint64{}
	for e := range s.Watch(t.Context()) {
		if e.Kind == store.Synced && cmd.Process == nil {
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
		}
		if strings.HasPrefix(e.Key, fmt.Sprint(cmd.Process.Pid, "/")) { // an event of the other process
			last = e.Key
			break
		}
	}
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		var key string
		var version uint64
		if _, err := fmt.Sscan(lines.Text(), &key, &version); err != nil {
			break // the line that the kill cut
		}
		acknowledged[key] = max(version, acknowledged[key])
		if n--; n == 0 {
			_ = cmd.Process.Kill()
		}
	}
	_ = cmd.Wait()
	if n > 0 {
		t.Fatalf("the writer ended %d writes before it was killed", n)
	}
	if _, known := acknowledged[last]; !known {
		t.Errorf("got an event of %q, want events of acknowledged writes only", last)
	}
	return acknowledged
}

func checkAll(t *testing.T, s *Store, acknowledged map[string]uint64) {
	t.Helper()
	for key, version := range acknowledged {
		r, err := s.Get(t.Context(), key)
		if err != nil || r.Version < version || len(r.Value) < 400 {
			t.Errorf("Get(%q) = version %d, %v, want the acknowledged version %d or a later one", key, r.Version, err, version)
		}
	}
}
