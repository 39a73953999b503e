package pgstore

import (
	"testing"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/storetest"
	"b2trader.identity.auth/identity/store/storetest/servers"
)

func open(tb testing.TB, cfg Config) *Store {
	tb.Helper()
	s, err := Open(tb.Context(), cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	return s
}

func TestConformance(t *testing.T) {
	server := servers.StartPostgres(t)
	storetest.Run(t, func(t *testing.T) (a, b store.Store) {
		cfg := Config{URL: server.URL(server.NewDatabase(t))}
		return open(t, cfg), open(t, cfg)
	})
}

func TestConformanceBehindPgBouncer(t *testing.T) {
	server := servers.StartPostgres(t)
	pooler := servers.StartPgBouncer(t, server)
	storetest.Run(t, func(t *testing.T) (a, b store.Store) {
		database := server.NewDatabase(t)
		cfg := Config{URL: pooler.URL(database), ListenURL: server.URL(database)}
		return open(t, cfg), open(t, cfg)
	})
}

func BenchmarkStore(b *testing.B) {
	server := servers.StartPostgres(b, "fsync=on")
	storetest.Bench(b, open(b, Config{URL: server.URL("postgres")}))
}
