package sqlitestore

import (
	"path/filepath"
	"testing"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/storetest"
)

func open(tb testing.TB, file string) *Store {
	tb.Helper()
	s, err := Open(tb.Context(), Config{File: file})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

func TestConformance(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) (a, b store.Store) {
		file := filepath.Join(t.TempDir(), "sessions.db")
		return open(t, file), open(t, file)
	})
}

func BenchmarkStore(b *testing.B) {
	storetest.Bench(b, open(b, filepath.Join(b.TempDir(), "sessions.db")))
}
