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

// conform runs the suite, with a prefix for each test.
func conform(t *testing.T, cfg Config) {
	storetest.Run(t, func(t *testing.T) (a, b store.Store) {
		own := cfg
		own.Prefix = t.Name() + ":"
		return open(t, own), open(t, own)
	})
}

func TestConformance(t *testing.T) {
	t.Parallel()
	conform(t, Config{URL: servers.StartRedis(t).URL(0)})
}

func TestConformanceCluster(t *testing.T) {
	t.Parallel()
	conform(t, Config{URL: servers.StartRedisCluster(t).URL})
}

func TestConformanceSentinel(t *testing.T) {
	t.Parallel()
	conform(t, Config{URL: servers.StartRedisSentinel(t).URL})
}

func BenchmarkStore(b *testing.B) {
	storetest.Bench(b, open(b, Config{URL: servers.StartRedis(b).URL(0)}))
}
