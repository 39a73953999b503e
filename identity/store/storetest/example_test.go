package storetest_test

import (
	"testing"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/store/storetest"
)

// A test of your own store calls Run.
func ExampleRun() {
	_ = func(t *testing.T) { // TestConformance
		storetest.Run(t, func(t *testing.T) (a, b store.Store) {
			s := memstore.New() // or two handles on one database that processes share
			t.Cleanup(func() { _ = s.Close() })
			return s, s
		})
	}
}
