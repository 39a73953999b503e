package b2core_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/b2core"
	"b2trader.identity.auth/identity/b2core/b2coretest"
	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/vault"
	"b2trader.identity.auth/identity/worker"
)

// Get tokens of B2Trader for a user of B2Core, here a test server.
func Example() {
	ctx, server := context.Background(), must(b2coretest.New(b2coretest.Config{}))
	client := must(b2core.New(b2core.Config{
		URL: "https://my.broker.example", Bearer: server.Bearer, // the session's access token
		CountryCode: "+995", CountryName: "Georgia", HTTP: tokenapi.HTTP{Transport: server.Transport()},
	}))
	token := must(client.SignIn(ctx))
	next := must(client.Refresh(ctx, token))
	api := &http.Client{Transport: &oauth2.Transport{Source: oauth2.StaticTokenSource(next), Base: server.Transport()}}
	fmt.Println(must(api.Get(next.Extra("host").(string) + b2coretest.APIPath)).Status)

	server.EndSession()
	_, err := client.Refresh(ctx, next)
	fmt.Println(errors.Is(err, tokenapi.ErrNotSignedIn), err)
	// Output:
	// 200 OK
	// true b2core: refresh token: not signed in: b2coretest: the B2Core session has ended; sign in again
}

// From an e-mail address and a password to B2Trader's API. One worker keeps the
// B2Core session alive and the other one, by its token, B2Trader's.
func ExampleSessionClient() {
	ctx, server := context.Background(), must(b2coretest.New(b2coretest.Config{}))
	network := tokenapi.HTTP{Transport: server.Transport()} // of the test server; leave it out
	core := must(b2core.NewSessionClient(b2core.SessionConfig{URL: "https://my.broker.example", HTTP: network}))
	account := tokenapi.Account{Login: b2coretest.SampleEmail, Password: tokenapi.Fixed(b2coretest.SamplePassword)}
	session := must(worker.New(core, account, worker.Config{}))

	trader := must(b2core.New(b2core.Config{URL: "https://my.broker.example", Bearer: session.Source(), HTTP: network}))
	api := must(worker.New(trader, tokenapi.Pace{}, worker.Config{Transport: server.Transport()}))
	fmt.Println(must(api.Client().Get("https://my.broker.example" + b2coretest.APIPath)).Status)
	fmt.Println(errors.Join(api.Close(ctx), session.Close(ctx)), server.Count(b2coretest.EndpointSignIn), "sign-in")
	// Output:
	// 200 OK
	// <nil> 1 sign-in
}

// A person signs in, with a second factor if the account has one, and finds the
// platform by the list.
func ExampleSessionClient_Login() {
	ctx := context.Background()
	server := must(b2coretest.New(b2coretest.Config{Users: []b2coretest.User{
		{Email: "user@example.com", Password: "password", SecondFactors: []string{"google", "sms"}},
	}}))
	core := must(b2core.NewSessionClient(b2core.SessionConfig{
		URL: "https://my.broker.example", HTTP: tokenapi.HTTP{Transport: server.Transport()},
	}))

	session, err := core.Login(ctx, "user@example.com", "password")
	if errors.Is(err, b2core.ErrRecaptcha) {
		log.Fatal(err) // says what to ask the broker for
	}
	if second, ok := errors.AsType[*b2core.SecondFactorError](err); ok {
		signIn := second.SignIn
		fmt.Println("one of", signIn.SecondFactor.Providers)
		if err := signIn.ChooseSecondFactor(ctx, "google"); err != nil {
			log.Fatal(err)
		}
		if err := signIn.VerifySecondFactor(ctx, b2coretest.SampleCode); err != nil {
			log.Fatal(err) // tokenapi.ErrSecondFactorRefused: ask for another code
		}
		session, err = signIn.Session()
	}
	if err != nil {
		log.Fatal(err)
	}
	for _, platform := range must(core.Platforms(ctx, session.AccessToken)) {
		fmt.Println(platform.Type, "is", platform.ID) // for Config.PlatformID
	}
	fmt.Println(core.SignOut(ctx, session.AccessToken))
	// Output:
	// one of [google sms]
	// B2Trader is 1
	// <nil>
}

// must ends an example on an error.
func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}

// Users of a site, whose sessions a shared store keeps: a vault renews the B2Core
// session of each and, by its token, that of B2Trader.
func Example_chain() {
	ctx, server := context.Background(), must(b2coretest.New(b2coretest.Config{}))
	network := tokenapi.HTTP{Transport: server.Transport()} // of the test server; leave it out
	core := must(b2core.NewSessionClient(b2core.SessionConfig{URL: "https://my.broker.example", HTTP: network}))
	var v *vault.Vault // assigned below: the client asks it for the bearer
	bearer := func(ctx context.Context, refused *oauth2.Token) (*oauth2.Token, error) {
		return v.Source("session")(ctx, refused)
	}
	trader := must(b2core.New(b2core.Config{URL: "https://my.broker.example", Bearer: bearer, HTTP: network}))
	store := memstore.New() // or SQLite, Redis, PostgreSQL
	v = must(vault.New(vault.Config{
		Store: store, Keys: []vault.Key{vault.NewKey("first")},
		Refreshers: map[string]vault.Refresher{"b2core": core, "b2trader": trader},
	}))
	entry := vault.NewEntry("b2core", must(core.Login(ctx, b2coretest.SampleEmail, b2coretest.SamplePassword))) // of the user
	err := errors.Join(
		v.Put(ctx, "session", entry),
		v.Put(ctx, "b2trader", vault.Entry{Owner: entry.Owner, Client: "b2trader", Token: trader.FirstToken()}),
	)
	if err != nil {
		log.Fatal(err)
	}
	api := &http.Client{Transport: &vault.Transport{Vault: v, Key: "b2trader", Base: server.Transport()}}

	server.ExpireBearers() // B2Core refuses the session's token
	fmt.Println(must(api.Get("https://my.broker.example" + b2coretest.APIPath)).Status)
	fmt.Println(errors.Join(v.Close(ctx), store.Close()), server.Count(b2coretest.EndpointSessionRefresh), "refresh of the session")
	// Output:
	// 200 OK
	// <nil> 1 refresh of the session
}

// A tool that ends before the bearer expires.
func ExampleStaticBearer() {
	ctx, server := context.Background(), must(b2coretest.New(b2coretest.Config{}))
	given := must(server.Bearer(ctx, nil)).AccessToken // from elsewhere
	client := must(b2core.New(b2core.Config{
		URL: "https://my.broker.example", Bearer: b2core.StaticBearer(given), HTTP: tokenapi.HTTP{Transport: server.Transport()},
	}))
	fmt.Println(must(client.SignIn(ctx)).Valid())
	// Output: true
}
