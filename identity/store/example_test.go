package store_test

import (
	"context"
	"fmt"
	"time"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/memstore"
)

// A cache forgets its records when they may be out of date.
func ExampleStore_watch() {
	ctx := context.Background()
	var s store.Store = memstore.New()

	cache := map[string]store.Record{}
	for e := range s.Watch(ctx) {
		switch e.Kind {
		case store.Synced: // cached records may be out of date; from now on changes are reported
			clear(cache)
			_, _ = s.Put(ctx, store.Record{Key: "session", Expires: time.Now().Add(time.Hour)})
		case store.Lost: // read from the store until Synced
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
