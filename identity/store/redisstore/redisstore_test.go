package redisstore

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

// conform runs the suite, each case under a prefix of its own.
func conform(t *testing.T, cfg Config) {
	storetest.Run(t, func(t *testing.T) (a, b store.Store) {
		own := cfg
		own.Prefix = t.Name() + ":"
		return open(t, own), open(t, own)
	})
}

func TestConformance(t *testing.T) {
	conform(t, Config{URL: servers.StartRedis(t).URL(0)})
}

func TestConformanceWithoutCache(t *testing.T) {
	conform(t, Config{URL: servers.StartRedis(t).URL(1), CacheSize: -1})
}

func TestConformanceCluster(t *testing.T) {
	conform(t, Config{URL: servers.StartRedisCluster(t).URL})
}

func TestConformanceSentinel(t *testing.T) {
	conform(t, Config{URL: servers.StartRedisSentinel(t).URL})
}

func BenchmarkStore(b *testing.B) {
	storetest.Bench(b, open(b, Config{URL: servers.StartRedis(b).URL(0)}))
}
