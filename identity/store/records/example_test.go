package records_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/store/records"
)

// A draft is what this example keeps.
type draft struct{ Text string }

// Keep typed records in any store, sealed.
func Example() {
	ctx := context.Background()
	cache, err := records.Open(records.Config{
		Store: memstore.New(), // or SQLite, Redis, PostgreSQL
		Keys:  []records.Key{records.NewKey("first")},
	})
	if err != nil {
		log.Fatal(err) // names each problem of the Config
	}
	drafts := records.NewKind(cache, "draft:", records.JSON[draft]())

	id := drafts.ID("a key that cannot be guessed")
	_, err = drafts.Put(ctx, records.Record[draft]{
		ID: id, Owner: drafts.Owner("ada"), Expires: cache.Now().Add(time.Hour), Value: draft{"Buy"},
	})
	if err != nil {
		log.Fatal(err)
	}
	_, err = drafts.Update(ctx, id, func(old *records.Record[draft]) (records.Record[draft], error) {
		if old == nil {
			return records.Record[draft]{}, errors.New("the draft is gone")
		}
		next := *old // called again if another process was quicker
		next.Value.Text += " 2 BTC"
		return next, nil
	})
	if err != nil {
		log.Fatal(err)
	}
	all, err := drafts.List(ctx, drafts.Owners("ada")...)
	if err != nil {
		log.Fatal(err)
	}
	for _, d := range all {
		fmt.Println(d.Value.Text)
	}
	if err := drafts.Delete(ctx, id); err != nil {
		log.Fatal(err)
	}
	_, err = drafts.Get(ctx, id)
	fmt.Println("absent:", records.Absent(err))
	cache.Close()
	// Output:
	// Buy 2 BTC
	// absent: true
}
