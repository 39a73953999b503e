package storetest_test

import (
	"testing"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/store/storetest"
)

// The test of a store of your own calls Run.
func ExampleRun() {
	_ = func(t *testing.T) { // TestConformance
		storetest.Run(t, func(t *testing.T) (a, b store.Store) {
			s := memstore.New() // two handles on one database, if processes can share it
			t.Cleanup(func() { _ = s.Close() })
			return s, s
		})
	}
}
