package worker_test

import (
	"context"
	"errors"
	"log"
	"os"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/b2binpay"
	"b2trader.identity.auth/identity/b2core"
	"b2trader.identity.auth/identity/store/redisstore"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/tradevest"
	"b2trader.identity.auth/identity/vault"
	"b2trader.identity.auth/identity/worker"
)

// A program that calls the BackOffice as core_ib for as long as it runs.
func Example() {
	ctx := context.Background()
	var client *identity.Client // from identity.New, for core_ib with its secret
	account := tokenapi.Account{Login: "ib@example.com", Password: tokenapi.Fixed(os.Getenv("IB_PASSWORD"))}

	ib, err := worker.New(client, account, worker.Config{})
	if err != nil {
		log.Fatal(err) // names each problem
	}
	resp, err := ib.Client().Get("https://trader.example.com/backoffice/api/v3/accounts")
	if err != nil {
		log.Fatal(err)
	}
	_ = resp.Body.Close()

	if err := ib.Close(ctx); err != nil { // waits for a renewal under way
		log.Print(err)
	}
}

// Several processes sign in once and share the token.
func ExampleConfig() {
	ctx := context.Background()
	var client *identity.Client  // from identity.New
	var account tokenapi.Account // as above

	file, err := os.ReadFile("token-keys") // the same in each process: lines of ID:SECRET
	if err != nil {
		log.Fatal(err)
	}
	keys, err := vault.ParseKeys(file)
	if err != nil {
		log.Fatal("token-keys: ", err) // names each bad line
	}
	store, err := redisstore.Open(ctx, redisstore.Config{URL: "rediss://tokens.example.com"}) // or PostgreSQL, SQLite
	if err != nil {
		log.Fatal(err)
	}
	ib, err := worker.New(client, account, worker.Config{Name: "ib", Store: store, Keys: keys})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := ib.Token(ctx); err != nil {
		log.Fatal(err) // such as a wrong password, before the first request
	}
	_ = ib.Client()
	if err := errors.Join(ib.Close(ctx), store.Close()); err != nil {
		log.Print(err)
	}
}

// Tradevest's partner is named by the client's Config, so that the account is a
// pace. The client's Transport adds the Requestor-ID to each request.
func ExampleNew() {
	var client *tradevest.Client // from tradevest.New

	partner, err := worker.New(client, tokenapi.Pace{}, worker.Config{Transport: client.Transport(nil)})
	if err != nil {
		log.Fatal(err)
	}
	_ = partner.Client()
}

// Like Tradevest, version 3 of B2BINPAY has the account in the Config of the
// client.
func ExampleNew_b2binpay() {
	var url, id string // the vendor's
	var secret func(context.Context) (tokenapi.Secret, error)

	client, err := b2binpay.NewV3Client(b2binpay.V3Config{
		URL: url, ClientID: id, ClientSecret: secret, // a function, so that the secret can change
	})
	if err != nil {
		log.Fatal(err) // names each problem of the V3Config
	}
	payments, err := worker.New(client, tokenapi.Pace{}, worker.Config{})
	if err != nil {
		log.Fatal(err)
	}
	resp, err := payments.Client().Get(url + "/wallet/") // with a live access token
	if err != nil {
		log.Fatal(err)
	}
	_ = resp.Body.Close()
}

// From an e-mail address and a password at B2Core to B2Trader's API: the second
// worker shows the token of the first one.
func ExampleWorker_Source() {
	var email string // of an account without a second factor
	var password func(context.Context) (tokenapi.Secret, error)

	core, err := b2core.NewSessionClient(b2core.SessionConfig{URL: "https://my.broker.example"})
	if err != nil {
		log.Fatal(err)
	}
	session, err := worker.New(core, tokenapi.Account{Login: email, Password: password}, worker.Config{})
	if err != nil {
		log.Fatal(err)
	}
	trader, err := b2core.New(b2core.Config{URL: "https://my.broker.example", Bearer: session.Source()})
	if err != nil {
		log.Fatal(err)
	}
	api, err := worker.New(trader, tokenapi.Pace{}, worker.Config{})
	if err != nil {
		log.Fatal(err)
	}
	resp, err := api.Client().Get("https://trader.example.com/frontoffice/api/v3/account")
	if err != nil {
		log.Fatal(err) // such as b2core.ErrRecaptcha
	}
	_ = resp.Body.Close()
}
