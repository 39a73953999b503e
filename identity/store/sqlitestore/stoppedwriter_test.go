//go:build unix

package sqlitestore

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/storetest"
)

// While a stopped process holds the lock, others can read and learn why they
// cannot write. They can write once the process has ended.
func TestStoppedWriter(t *testing.T) { // field 45
	t.Parallel()
	file := filepath.Join(t.TempDir(), "sessions.db")
	s, err := Open(t.Context(), Config{File: file, Timeout: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	r := storetest.Put(t, s, store.Record{Key: "key"})
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), holderFile+"="+file)
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	if !bufio.NewScanner(output).Scan() {
		t.Fatal("the other process ended, want it to hold the lock")
	}
	if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(t.Context(), r); !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "another process") {
		t.Errorf("Put while a stopped process holds the lock = %v, want ErrUnavailable that names the cause", err)
	}
	if err := s.Delete(t.Context(), "key"); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("Delete while a stopped process holds the lock = %v, want ErrUnavailable", err)
	}
	if got, err := s.Get(t.Context(), "key"); err != nil || got.Version != r.Version {
		t.Errorf("Get while a stopped process holds the lock = version %d, %v, want version %d", got.Version, err, r.Version)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	storetest.PutEventually(t, s, r)
}
