package pgstore

import (
	"os"
	"testing"
	"time"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/storetest"
	"b2trader.identity.auth/identity/store/storetest/servers"
)

func TestMain(m *testing.M) { os.Exit(servers.Main(m)) }

// open opens a store. Its calls may take a minute unless cfg says otherwise, so
// that a busy machine is no outage.
func open(tb testing.TB, cfg Config) *Store {
	tb.Helper()
	if cfg.Timeout == 0 {
		cfg.Timeout = time.Minute
	}
	s, err := Open(tb.Context(), cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	return s
}

// openShared opens a store with a table of its own on the shared server. The
// name of the table is also the application_name of the connection that listens.
func openShared(t *testing.T, cfg Config) (*Store, *servers.Postgres) {
	t.Helper()
	server := servers.SharedPostgres(t)
	cfg.Table = server.NewTable()
	if cfg.URL == "" {
		cfg.URL = server.URL("postgres")
		cfg.ListenURL = cfg.URL + "&application_name=" + cfg.Table
	}
	return open(t, cfg), server
}

// One process calls and listens directly, and the other calls through a pooler.
func TestConformance(t *testing.T) {
	t.Parallel()
	server := servers.SharedPostgres(t)
	pooler := servers.StartPgBouncer(t, server)
	storetest.Run(t, func(t *testing.T) (a, b store.Store) {
		table := server.NewTable()
		return open(t, Config{URL: pooler.URL("postgres"), ListenURL: server.URL("postgres"), Table: table}),
			open(t, Config{URL: server.URL("postgres") + "&pool_max_conns=2", Table: table})
	})
}

func BenchmarkStore(b *testing.B) {
	server := servers.StartPostgres(b, "fsync=on")
	storetest.Bench(b, open(b, Config{URL: server.URL("postgres")}))
}
