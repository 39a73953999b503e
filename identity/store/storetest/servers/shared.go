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

// shared is what several tests of one binary use.
var shared struct {
	postgres struct {
		sync.Mutex
		server *Postgres
	}
	newPostgres struct { // the files of a new server
		sync.Mutex
		dir string
	}
	cleanups struct {
		sync.Mutex
		all []func()
	}
}

// Main runs the tests of a package and then ends what they shared. It returns
// the exit code. TestMain calls it.
func Main(m *testing.M) int {
	if err := flag.Set("test.parallel", parallelTests); err != nil { // the command line wins
		panic(err)
	}
	defer func() {
		for _, cleanup := range slices.Backward(shared.cleanups.all) {
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
	shared.postgres.Lock()
	defer shared.postgres.Unlock()
	if shared.postgres.server == nil {
		shared.postgres.server = StartPostgres(lasting{tb})
	}
	return shared.postgres.server
}

// AtEnd makes Main call f after all tests. The last f is the first to be called.
func AtEnd(f func()) {
	shared.cleanups.Lock()
	defer shared.cleanups.Unlock()
	shared.cleanups.all = append(shared.cleanups.all, f)
}

// A lasting test leaves its cleanup to Main.
type lasting struct{ testing.TB }

// Cleanup runs f after all tests.
func (lasting) Cleanup(f func()) { AtEnd(f) }

// Failed returns false: at the time of the cleanup the test can log no more.
func (lasting) Failed() bool { return false }
