package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"b2trader.identity.auth/identity/store/storetest/servers"
)

// TestMain runs the tests. In a process that a benchmark started, it serves a
// proxy instead.
func TestMain(m *testing.M) {
	if work := os.Getenv(childVariable); work != "" {
		if err := child(work); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	code := servers.Main(m)
	if built.Load() {
		binary, _ := demoBinary()
		_ = os.RemoveAll(filepath.Dir(binary))
	}
	os.Exit(code)
}

// demoBinary builds the command demo, once for all tests.
var demoBinary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "b2trader-e2e-")
	if err != nil {
		return "", err
	}
	built.Store(true)
	binary := filepath.Join(dir, "demo")
	cmd := exec.Command("go", "build", "-o", binary, "./cmd/demo")
	cmd.Dir = repository
	if out, err := cmd.CombinedOutput(); err != nil {
		return binary, fmt.Errorf("go build: %w\n%s", err, out)
	}
	return binary, nil
})

// built reports whether demoBinary made a folder.
var built atomic.Bool

// demoCommand returns the file name of the command demo.
func demoCommand(t testing.TB) string {
	t.Helper()
	binary, err := demoBinary()
	if err != nil {
		t.Fatal(err)
	}
	return binary
}
