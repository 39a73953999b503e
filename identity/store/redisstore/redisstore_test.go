package redisstore

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

func put(t *testing.T, s *Store, key, value string) store.Record {
	t.Helper()
	return storetest.Put(t, s, store.Record{Key: key, Owner: "owner", Value: []byte(value)})
}

// conform runs the suite, with a prefix for each test, on two handles that may
// have different URLs of the same records.
func conform(t *testing.T, first, second string) {
	storetest.Run(t, func(t *testing.T) (a, b store.Store) {
		prefix := t.Name() + ":"
		return open(t, Config{URL: first, Prefix: prefix}), open(t, Config{URL: second, Prefix: prefix})
	})
}

// One process asks a Sentinel for the server, and the other knows its address.
func TestConformance(t *testing.T) {
	t.Parallel()
	group := servers.StartRedisSentinel(t)
	conform(t, group.URL, group.Primary.URL(0))
}

func TestConformanceCluster(t *testing.T) {
	t.Parallel()
	url := servers.StartRedisCluster(t).URL
	conform(t, url, url)
}

func BenchmarkStore(b *testing.B) {
	storetest.Bench(b, open(b, Config{URL: servers.StartRedis(b).URL(0)}))
}
