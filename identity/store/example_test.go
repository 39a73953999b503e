package store_test

import (
	"context"
	"fmt"
	"time"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/memstore"
)

// A cache that never answers from what it cannot vouch for.
func ExampleStore_watch() {
	ctx := context.Background()
	var s store.Store = memstore.New()

	cache := map[string]store.Record{}
	for e := range s.Watch(ctx) {
		switch e.Kind {
		case store.Synced: // what was cached may be out of date; from here on changes are reported
			clear(cache)
			_, _ = s.Put(ctx, store.Record{Key: "session", Expires: time.Now().Add(time.Hour)})
		case store.Lost: // until Synced, answers come from the store
			clear(cache)
		case store.Changed:
			delete(cache, e.Key)
			_ = s.Delete(ctx, e.Key)
		case store.Deleted:
			fmt.Println("close the streams of", e.Key)
			return
		}
	}
	// Output: close the streams of session
}
