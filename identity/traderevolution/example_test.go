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

const exampleURL = "https://backoffice.example:8443/proftrading/rest"

// exampleClient returns a client of a server. In a program, set only the URL.
func exampleClient(server *traderevolutiontest.Server) *traderevolution.Client {
	return must(traderevolution.New(traderevolution.Config{URL: exampleURL, HTTP: tokenapi.HTTP{Transport: server.Transport()}}))
}

// Sign in, renew, and call the API. A refresh token works once: store its
// successor before it is used.
func Example() {
	ctx, server := context.Background(), must(traderevolutiontest.New(traderevolutiontest.Config{}))
	client := exampleClient(server)
	token := must(client.SignIn(ctx, "backoffice", "backoffice-password"))
	next := must(client.Refresh(ctx, token))
	api := &http.Client{Transport: &oauth2.Transport{Source: oauth2.StaticTokenSource(next), Base: server.Transport()}}
	fmt.Println(must(api.Get(exampleURL + traderevolutiontest.APIPath)).Status)

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
	ctx, server := context.Background(), must(traderevolutiontest.New(traderevolutiontest.Config{}))
	keeper := must(exampleClient(server).Keeper(tokenapi.Account{Login: "backoffice", Password: tokenapi.Fixed("backoffice-password")}))
	tokens := must(vault.New(vault.Config{
		Store:      memstore.New(),
		Keys:       []vault.Key{vault.NewKey("this process")},
		Refreshers: map[string]vault.Refresher{"backoffice": keeper},
	}))
	if err := tokens.Put(ctx, "worker", vault.Entry{Client: "backoffice", Token: keeper.FirstToken()}); err != nil {
		log.Fatal(err)
	}
	api := &http.Client{Transport: &vault.Transport{Vault: tokens, Key: "worker", Base: server.Transport()}}
	fmt.Println(must(api.Get(exampleURL+traderevolutiontest.APIPath)).Status, tokens.Close(ctx))
	// Output: 200 OK <nil>
}

// A site to which the back office links asks whose link it was.
func ExampleClient_VerifyOTT() {
	ctx, server := context.Background(), must(traderevolutiontest.New(traderevolutiontest.Config{}))
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
	server := must(traderevolutiontest.New(traderevolutiontest.Config{}))
	_, err := exampleClient(server).SignIn(context.Background(), "backoffice", "guess")
	if e, ok := errors.AsType[*tokenapi.Error](err); ok && errors.Is(err, tokenapi.ErrBadCredentials) {
		fmt.Println("Wrong login or password, says the server:", e.Code)
	}
	// Output: Wrong login or password, says the server: 1.2.0.11
}
