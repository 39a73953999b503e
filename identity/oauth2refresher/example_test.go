package oauth2refresher_test

import (
	"context"
	"errors"
	"log"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/oauth2refresher"
	"b2trader.identity.auth/identity/store/redisstore"
	"b2trader.identity.auth/identity/vault"
)

// Keep Google's, Keycloak's, anyone's tokens alive in Redis, in two processes,
// each refresh token used once.
func Example() {
	ctx := context.Background()
	var provider *oauth2.Config // with the Endpoint of Google, Keycloak or another provider
	var keys []vault.Key        // the same in each process, from vault.ParseKeys
	var code string             // from the user's redirect, in the process that signs in

	refresher, err := oauth2refresher.New(oauth2refresher.Config{OAuth2: provider})
	if err != nil {
		log.Fatal(err) // names each problem of the Config
	}
	store, err := redisstore.Open(ctx, redisstore.Config{URL: "rediss://tokens.example.com"})
	if err != nil {
		log.Fatal(err)
	}
	tokens, err := vault.New(vault.Config{Store: store, Keys: keys, Refreshers: map[string]vault.Refresher{"keycloak": refresher}})
	if err != nil {
		log.Fatal(err)
	}
	if code != "" { // the user signs in, in one of the processes
		token, err := provider.Exchange(ctx, code)
		if err != nil {
			log.Fatal(err)
		}
		entry := vault.Entry{Client: "keycloak", Token: token, Until: time.Now().AddDate(1, 0, 0)}
		if err := tokens.Put(ctx, "user 1", entry); err != nil {
			log.Fatal(err)
		}
	}
	api := tokens.Client("user 1") // in each process: an http.Client with the live token

	_ = api
	if err := errors.Join(tokens.Close(ctx), store.Close()); err != nil { // waits for renewals under way
		log.Print(err)
	}
}
