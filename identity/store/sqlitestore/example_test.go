package sqlitestore_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/sqlitestore"
)

func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()

	sessions, err := sqlitestore.Open(ctx, sqlitestore.Config{File: filepath.Join(dir, "sessions.db")})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = sessions.Close() }()

	_, err = sessions.Put(ctx, store.Record{Key: "session", Value: []byte("sealed"), Expires: time.Now().Add(time.Hour)})
	fmt.Println("on the disk:", err == nil)
	// Output: on the disk: true
}
