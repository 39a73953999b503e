package traderevolution_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/traderevolution"
	"b2trader.identity.auth/identity/traderevolution/traderevolutiontest"
	"b2trader.identity.auth/identity/vault"
)

// exampleServer returns a back office for the examples.
func exampleServer() *traderevolutiontest.Server {
	server, err := traderevolutiontest.New(traderevolutiontest.Config{})
	if err != nil {
		log.Fatal(err)
	}
	return server
}

// exampleClient returns a client of it. In a program, set only the URL.
func exampleClient(server *traderevolutiontest.Server) *traderevolution.Client {
	client, err := traderevolution.New(traderevolution.Config{
		URL:  "https://backoffice.example:8443/proftrading/rest",
		HTTP: tokenapi.HTTP{Transport: server.Transport()},
	})
	if err != nil {
		log.Fatal(err)
	}
	return client
}

// Sign in, renew, and call the API. A refresh token works once: store its
// successor before it is used.
func Example() {
	ctx, server := context.Background(), must(traderevolutiontest.New(traderevolutiontest.Config{}))
	const url = "https://backoffice.example:8443/proftrading/rest"
	client := must(traderevolution.New(traderevolution.Config{URL: url, HTTP: tokenapi.HTTP{Transport: server.Transport()}}))
	token := must(client.SignIn(ctx, "backoffice", "backoffice-password"))
	next := must(client.Refresh(ctx, token))
	api := &http.Client{Transport: &oauth2.Transport{Source: oauth2.StaticTokenSource(next), Base: server.Transport()}}
	fmt.Println(must(api.Get(url + traderevolutiontest.APIPath)).Status)

	_, err := client.Refresh(ctx, token)
	fmt.Println(errors.Is(err, tokenapi.ErrGrantRefused), err)
	// Output:
	// 200 OK
	// true traderevolution: refresh token: the grant was refused (HTTP 401 from /proftrading/rest/auth/token/refresh): The refresh token is not valid; sign in again
}

// must ends an example on an error.
func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}

// A worker that calls the back office for as long as it runs; the vault renews
// its tokens.
func ExampleClient_Keeper() {
	ctx, server := context.Background(), exampleServer()
	keeper, err := exampleClient(server).Keeper(tokenapi.Account{Login: "backoffice", Password: tokenapi.Fixed("backoffice-password")})
	if err != nil {
		log.Fatal(err)
	}
	tokens, err := vault.New(vault.Config{
		Store:      memstore.New(),
		Keys:       []vault.Key{vault.NewKey("this process")},
		Refreshers: map[string]vault.Refresher{"backoffice": keeper},
	})
	if err != nil {
		log.Fatal(err)
	}
	entry := vault.Entry{Client: "backoffice", Token: keeper.FirstToken()}
	if err := tokens.Put(ctx, "worker", entry); err != nil {
		log.Fatal(err)
	}
	api := &http.Client{Transport: &vault.Transport{Vault: tokens, Key: "worker", Base: server.Transport()}}
	answer, err := api.Get("https://backoffice.example:8443/proftrading/rest" + traderevolutiontest.APIPath)
	if err != nil {
		log.Fatal(err)
	}
	_ = answer.Body.Close()
	fmt.Println(answer.Status, tokens.Close(ctx))
	// Output: 200 OK <nil>
}

// A site to which the back office links asks whose link it was.
func ExampleClient_VerifyOTT() {
	ctx, server := context.Background(), exampleServer()
	client := exampleClient(server)
	fromTheLink := server.IssueOTT("trader-7")
	for range 2 {
		ott, err := client.VerifyOTT(ctx, fromTheLink)
		switch {
		case err != nil:
			log.Print(err) // the token may be spent: the user must follow the link again
		case ott.Valid:
			fmt.Println("Welcome,", ott.Login)
		default:
			fmt.Println("This link was used, or has expired.")
		}
	}
	// Output:
	// Welcome, trader-7
	// This link was used, or has expired.
}

// Branch on the error's kind; the server's code tells the details.
func ExampleClient_SignIn() {
	_, err := exampleClient(exampleServer()).SignIn(context.Background(), "backoffice", "guess")
	if e, ok := errors.AsType[*tokenapi.Error](err); ok && errors.Is(err, tokenapi.ErrBadCredentials) {
		fmt.Println("Wrong login or password, says the server:", e.Code)
	}
	// Output: Wrong login or password, says the server: 1.2.0.11
}
