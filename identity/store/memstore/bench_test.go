package memstore_test

import (
	"testing"

	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/store/storetest"
)

func BenchmarkStore(b *testing.B) { storetest.Bench(b, memstore.New()) }
