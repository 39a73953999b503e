package e2e

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
)

// TestMain runs the tests, or, in a process that a benchmark has started, what that is for.
func TestMain(m *testing.M) {
	if work := os.Getenv(childVariable); work != "" {
		if err := child(work); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	flag.Parse()
	if err := flag.Set("test.parallel", strconv.Itoa(max(6, runtime.GOMAXPROCS(0)))); err != nil { // most of these tests wait
		panic(err)
	}
	code := m.Run()
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

// built says that there is something to remove.
var built atomic.Bool

// demoCommand is where the command demo is.
func demoCommand(t testing.TB) string {
	t.Helper()
	binary, err := demoBinary()
	if err != nil {
		t.Fatal(err)
	}
	return binary
}
