package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
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
	os.Exit(servers.Main(m))
}

// demoBinary builds the command demo as its Dockerfile does, once for all tests.
var demoBinary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "b2trader-e2e-")
	if err != nil {
		return "", err
	}
	servers.AtEnd(func() { _ = os.RemoveAll(dir) })
	binary := filepath.Join(dir, "demo")
	image, err := theImage()
	if err != nil {
		return binary, err
	}
	cmd := exec.Command("sh", "-c", strings.Replace(image.build, "/out/demo", binary, 1))
	cmd.Dir = repository
	if out, err := cmd.CombinedOutput(); err != nil {
		return binary, fmt.Errorf("%s: %w\n%s", image.build, err, out)
	}
	return binary, nil
})

// demoCommand returns the file name of the command demo.
func demoCommand(t testing.TB) string {
	t.Helper()
	binary, err := demoBinary()
	if err != nil {
		t.Fatal(err)
	}
	return binary
}
