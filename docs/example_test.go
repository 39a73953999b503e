package docs_test

import (
	"context"
	"log"
	"net/http"
	"os"
	"time"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/vault"
	"b2trader.identity.auth/identity/worker"
	"b2trader.identity.auth/web"
)

// A user signs in, and an http.Client calls the API for as long as the session
// lasts.
func Example_user() {
	ctx, password := context.Background(), os.Getenv("B2TRADER_USER_PASSWORD")

	client, err := identity.New(identity.Config{URL: "https://trader.example.com", ClientID: identity.ClientSPA})
	if err != nil {
		log.Fatal(err) // names each problem of the Config
	}
	session, err := client.Login(ctx, "user@example.com", password)
	if err != nil {
		log.Fatal(err) // errors.Is(err, tokenapi.ErrBadCredentials), for example
	}
	tokens, err := vault.New(vault.Config{
		Store:      memstore.New(),                     // or SQLite, Redis, PostgreSQL
		Keys:       []vault.Key{vault.NewKey("first")}, // seal what is stored; processes that share a store share them
		Refreshers: map[string]vault.Refresher{"spa": client},
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := tokens.Put(ctx, "session 1", vault.NewEntry("spa", session)); err != nil {
		log.Fatal(err)
	}
	api := tokens.Client("session 1")

	_ = api
}

// A worker calls the API as a machine for as long as it runs.
func Example_worker() {
	ctx := context.Background()

	client, err := identity.New(identity.Config{
		URL: "https://trader.example.com", ClientID: identity.ClientCoreIB, ClientSecret: tokenapi.NewSecret(os.Getenv("IB_SECRET")),
	})
	if err != nil {
		log.Fatal(err)
	}
	account := tokenapi.Account{Login: "ib@example.com", Password: tokenapi.Fixed(os.Getenv("IB_PASSWORD"))}
	ib, err := worker.New(client, account, worker.Config{}) // or with a Store and Keys, shared by several processes
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = ib.Close(ctx) }()
	api := ib.Client() // an *http.Client with the live token

	_ = api
}

// A site signs users in and keeps their tokens.
func Example_site() {
	var client *identity.Client // as above

	site, err := web.New(web.Config{
		Clients:        []*identity.Client{client},
		PublicURL:      "https://app.example.com",
		FrontOfficeURL: "https://trader.example.com/frontoffice",
		Pages:          []web.Page{{Path: "/orders", Name: "Orders", Get: orders}},
	})
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{Addr: "127.0.0.1:8080", Handler: site, ReadHeaderTimeout: 5 * time.Second}
	log.Fatal(server.ListenAndServe()) // web's example shows how to stop it gracefully
}

func orders(http.ResponseWriter, *http.Request, *web.Session) error { return nil }
