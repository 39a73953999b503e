package vault_test

import (
	"context"
	"fmt"
	"log"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/vault"
)

// Keep a token alive, and call an API with it.
func Example() {
	ctx := context.Background()
	var client *identity.Client // from identity.New
	session, err := client.Login(ctx, "user@example.com", "password")
	if err != nil {
		log.Fatal(err)
	}

	v, err := vault.New(vault.Config{
		Store:      memstore.New(),                     // or SQLite, Redis, PostgreSQL
		Keys:       []vault.Key{vault.NewKey("first")}, // seal what is stored
		Refreshers: map[string]vault.Refresher{client.ID(): client},
	})
	if err != nil {
		log.Fatal(err)
	}
	err = v.Put(ctx, "some key", vault.NewEntry(client.ID(), session))
	if err != nil {
		log.Fatal(err)
	}
	api := v.Client("some key")

	resp, err := api.Get("https://trader.example.com/frontoffice/api/v3/orders")
	if err != nil {
		log.Fatal(err)
	}
	_ = resp.Body.Close()

	if err := v.Close(ctx); err != nil { // waits for renewals under way
		log.Print(err)
	}
}

// A program that takes an oauth2.TokenSource, such as gRPC by the package
// google.golang.org/grpc/credentials/oauth, or an API's own client.
func ExampleVault_TokenSource() {
	ctx := context.Background() // as long as the source
	var v *vault.Vault          // with an entry under "some key"

	source := v.TokenSource(ctx, "some key") // for example oauth.TokenSource{TokenSource: source}
	token, err := source.Token()
	if err != nil {
		log.Fatal(err)
	}
	log.Print("live until ", token.Expiry)
}

// Processes that share a store share a file of keys, too. A line of it is made
// by: echo "2026-11-21:$(openssl rand -base64 32)" >> token-keys
func ExampleParseKeys() {
	keys, err := vault.ParseKeys([]byte(`# The first key seals, all open.
2026-11-21:q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=
2025-11-03:kKvN7xI0VniQq83vEjRWeJCrze8SNFZ4kKvN7xI0Vng=
`)) // of os.ReadFile
	if err != nil {
		log.Fatal(err) // names each bad line
	}
	fmt.Println(keys)
	// Output: [Key(2026-11-21) Key(2025-11-03)]
}
