package memstore_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/memstore"
)

func Example() {
	ctx := context.Background()
	sessions := memstore.New()
	defer func() { _ = sessions.Close() }()

	session := store.Record{Key: "session", Owner: "alice", Value: []byte("sealed"), Expires: time.Now().Add(time.Hour)}
	version, err := sessions.Put(ctx, session) // Version 0 creates
	fmt.Println("created:", err)

	session.Version, session.Value = version, []byte("renewed")
	_, err = sessions.Put(ctx, session)
	fmt.Println("swapped:", err)

	_, err = sessions.Put(ctx, session) // the version of the first Put again
	fmt.Println("swapped again:", errors.Is(err, store.ErrConflict))

	list, _ := sessions.List(ctx, "alice")
	fmt.Println("sessions of alice:", len(list))

	_ = sessions.Delete(ctx, "session")
	_, err = sessions.Get(ctx, "session")
	fmt.Println("deleted:", errors.Is(err, store.ErrDeleted))
	// Output:
	// created: <nil>
	// swapped: <nil>
	// swapped again: true
	// sessions of alice: 1
	// deleted: true
}
