package memstore_test

import (
	"testing"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/store/storetest"
)

func TestConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T) (a, b store.Store) {
		s := memstore.New()
		t.Cleanup(func() { _ = s.Close() })
		return s, s
	})
}

func BenchmarkStore(b *testing.B) { storetest.Bench(b, memstore.New()) }
