package pgstore_test

import (
	"context"
	"fmt"

	"b2trader.identity.auth/identity/store/pgstore"
)

// Calls go through a pooler, and notifications past it.
func Example() {
	ctx := context.Background()
	sessions, err := pgstore.Open(ctx, pgstore.Config{
		URL:       "postgres://service:password@pooler.example.com:6432/sessions",
		ListenURL: "postgres://service:password@database.example.com:5432/sessions",
	})
	if err != nil {
		fmt.Println(err) // every problem of the Config, without the password
		return
	}
	defer func() { _ = sessions.Close() }()
}
