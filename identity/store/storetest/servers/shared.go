package servers

import (
	"flag"
	"slices"
	"sync"
	"testing"
)

// parallelTests is how many tests run at once. Tests of servers wait more than
// they compute, so there are more of them than processors.
const parallelTests = "8"

// shared are the servers that several tests of one binary use.
var shared struct {
	mu       sync.Mutex
	cleanups []func()
	postgres *Postgres
}

// Main runs the tests of a package and then ends the servers that they shared.
// It returns the exit code. TestMain calls it.
func Main(m *testing.M) int {
	if err := flag.Set("test.parallel", parallelTests); err != nil { // the command line wins
		panic(err)
	}
	defer func() {
		for _, cleanup := range slices.Backward(shared.cleanups) {
			cleanup()
		}
	}()
	return m.Run()
}

// SharedPostgres returns a server that all tests of the package use together.
// The first call starts it, and Main ends it. Tests keep apart by the names of
// their tables.
func SharedPostgres(tb testing.TB) *Postgres {
	tb.Helper()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.postgres == nil {
		shared.postgres = StartPostgres(lasting{tb})
	}
	return shared.postgres
}

// A lasting test leaves its cleanup to Main.
type lasting struct{ testing.TB }

func (lasting) Cleanup(f func()) { shared.cleanups = append(shared.cleanups, f) }

// Failed returns false: at the time of the cleanup the test can log no more.
func (lasting) Failed() bool { return false }
