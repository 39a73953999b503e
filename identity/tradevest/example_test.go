package tradevest_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/tradevest"
	"b2trader.identity.auth/identity/tradevest/tradevesttest"
	"b2trader.identity.auth/identity/vault"
)

// Get an access token and its successor by another sign-in, and call the API
// with the Requestor-ID. Then the secret changes.
func Example() {
	ctx, server := context.Background(), must(tradevesttest.New(tradevesttest.Config{})) // in place of Tradevest
	client := must(tradevest.New(tradevest.Config{
		ClientID: tradevesttest.SampleClientID, ClientSecret: tokenapi.Fixed(tradevesttest.SampleClientSecret),
		RequestorID: "123e4567-e89b-12d3-a456-426614174000", HTTP: tokenapi.HTTP{Transport: server.Transport()},
	}))
	token := must(client.SignIn(ctx))
	next := must(client.Refresh(ctx, token))
	api := &http.Client{Transport: client.Transport(&oauth2.Transport{Source: oauth2.StaticTokenSource(next), Base: server.Transport()})}
	fmt.Println(must(api.Get("https://tvda-api.platform-test.tradevest.ai" + tradevesttest.APIPath)).Status)

	server.SetClientSecret("rotated")
	_, err := client.SignIn(ctx)
	fmt.Println(errors.Is(err, tokenapi.ErrBadCredentials), err)
	// Output:
	// 200 OK
	// true tradevest: sign in: credentials not accepted (HTTP 400 from /oauth2/token): invalid_client; check Config.ClientID and Config.ClientSecret
}

// An http.Client whose requests carry a live token and the Requestor-ID.
func Example_vault() {
	ctx, server := context.Background(), must(tradevesttest.New(tradevesttest.Config{})) // in place of Tradevest
	client := must(tradevest.New(tradevest.Config{
		ClientID: tradevesttest.SampleClientID, ClientSecret: tokenapi.Fixed(tradevesttest.SampleClientSecret),
		RequestorID: "123e4567-e89b-12d3-a456-426614174000", HTTP: tokenapi.HTTP{Transport: server.Transport()},
	}))
	keeper := must(client.Keeper(tokenapi.Pace{}))
	tokens := must(vault.New(vault.Config{
		Store:      memstore.New(), // or SQLite, Redis, PostgreSQL: one token for all processes
		Keys:       []vault.Key{vault.NewKey("first")},
		Refreshers: map[string]vault.Refresher{"tradevest": keeper},
	}))
	if err := tokens.Put(ctx, "tradevest", vault.Entry{Client: "tradevest", Token: keeper.FirstToken()}); err != nil {
		log.Fatal(err)
	}
	api := &http.Client{Transport: client.Transport(&vault.Transport{Vault: tokens, Key: "tradevest", Base: server.Transport()})}
	fmt.Println(must(api.Get("https://tvda-api.platform-test.tradevest.ai"+tradevesttest.APIPath)).Status, tokens.Close(ctx))
	// Output: 200 OK <nil>
}

// must ends an example on an error.
func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}

// The production platform of the vendor's guide. Every token request reads the
// secret's file, so the file may change while the program runs.
func ExampleNew() {
	client, err := tradevest.New(tradevest.Config{
		URL:       "https://b2b.auth.platform-prod.tradevest.ai",
		TokenPath: "/connect/token",
		Scopes:    []string{"tradevest.api"},
		ClientID:  "our-client-id",
		ClientSecret: func(context.Context) (tokenapi.Secret, error) {
			secret, err := os.ReadFile("/run/secrets/tradevest")
			return tokenapi.NewSecret(strings.TrimSpace(string(secret))), err
		},
	})
	if err != nil {
		log.Fatal(err) // names every problem of the Config
	}
	fmt.Println(client)
	// Output: tradevest.Client(https://b2b.auth.platform-prod.tradevest.ai)
}

// Each request may name another person.
func ExampleClient_Transport() {
	server := must(tradevesttest.New(tradevesttest.Config{}))
	client := must(tradevest.New(tradevest.Config{
		ClientID: tradevesttest.SampleClientID, ClientSecret: tokenapi.Fixed(tradevesttest.SampleClientSecret),
		RequestorID: "123e4567-e89b-12d3-a456-426614174000", HTTP: tokenapi.HTTP{Transport: server.Transport()},
	}))
	api := &http.Client{Transport: client.Transport(server.Transport())}
	url := "https://tvda-api.platform-test.tradevest.ai" + tradevesttest.APIPath
	req := must(http.NewRequestWithContext(context.Background(), http.MethodGet, url, nil))
	_ = must(api.Do(req)).Body.Close()
	req.Header.Set("Requestor-ID", "6ba7b810-9dad-11d1-80b4-00c04fd430c8")
	_ = must(api.Do(req)).Body.Close()
	for _, r := range server.Requests(tradevesttest.EndpointAPI) {
		fmt.Println(r.Header.Get("Requestor-ID"))
	}
	// Output:
	// 123e4567-e89b-12d3-a456-426614174000
	// 6ba7b810-9dad-11d1-80b4-00c04fd430c8
}
