package tradevest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
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
	ctx := context.Background()
	server, err := tradevesttest.New(tradevesttest.Config{}) // in place of Tradevest
	check(err)

	client, err := tradevest.New(tradevest.Config{
		ClientID:     tradevesttest.SampleClientID,
		ClientSecret: tokenapi.Fixed(tradevesttest.SampleClientSecret),
		RequestorID:  "123e4567-e89b-12d3-a456-426614174000",
		HTTP:         tokenapi.HTTP{Transport: server.Transport()},
	})
	check(err)
	keeper, err := client.Keeper(tokenapi.Pace{})
	check(err)
	tokens, err := vault.New(vault.Config{
		Store:      memstore.New(), // or SQLite, Redis, PostgreSQL: one token for all processes
		Keys:       []vault.Key{vault.NewKey("first")},
		Refreshers: map[string]vault.Refresher{"tradevest": keeper},
	})
	check(err)
	check(tokens.Put(ctx, "tradevest", vault.Entry{Client: "tradevest", Token: keeper.FirstToken()}))
	api := &http.Client{Transport: client.Transport(&vault.Transport{Vault: tokens, Key: "tradevest", Base: server.Transport()})}

	resp, err := api.Get("https://tvda-api.platform-test.tradevest.ai" + tradevesttest.APIPath)
	check(err)
	body, err := io.ReadAll(resp.Body)
	check(err)
	check(resp.Body.Close())
	fmt.Println(resp.StatusCode, string(body))
	check(tokens.Close(ctx))
	// Output: 200 {"customers":[{"id":"0f2a3c64-5b1d-4f0e-9d27-6c1f6a9e5b01","name":"Sample Customer"}]}
}

// must ends an example on an error.
func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
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

// One token, and what to do about each error.
func ExampleClient_SignIn() {
	server, err := tradevesttest.New(tradevesttest.Config{})
	check(err)
	client, err := tradevest.New(tradevest.Config{
		ClientID: tradevesttest.SampleClientID, ClientSecret: tokenapi.Fixed("mistyped"), HTTP: tokenapi.HTTP{Transport: server.Transport()},
	})
	check(err)

	token, err := client.SignIn(context.Background())
	switch {
	case errors.Is(err, tokenapi.ErrBadCredentials):
		fmt.Println("Correct the secret:", err)
	case errors.Is(err, tokenapi.ErrUnavailable):
		fmt.Println("Try later:", err)
	case err != nil:
		log.Fatal(err)
	default:
		fmt.Println("Good until", token.Expiry)
	}
	// Output: Correct the secret: tradevest: sign in: credentials not accepted (HTTP 400 from /oauth2/token): invalid_client; check Config.ClientID and Config.ClientSecret
}

// Each request may name another person.
func ExampleClient_Transport() {
	server, err := tradevesttest.New(tradevesttest.Config{})
	check(err)
	client, err := tradevest.New(tradevest.Config{
		ClientID: tradevesttest.SampleClientID, ClientSecret: tokenapi.Fixed(tradevesttest.SampleClientSecret),
		RequestorID: "123e4567-e89b-12d3-a456-426614174000", HTTP: tokenapi.HTTP{Transport: server.Transport()},
	})
	check(err)
	api := &http.Client{Transport: client.Transport(server.Transport())}

	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "https://tvda-api.platform-test.tradevest.ai"+tradevesttest.APIPath, nil)
	check(err)
	for _, person := range []string{"", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"} {
		if person != "" {
			req.Header.Set("Requestor-ID", person)
		}
		resp, err := api.Do(req)
		check(err)
		check(resp.Body.Close())
	}
	for _, r := range server.Requests(tradevesttest.EndpointAPI) {
		fmt.Println(r.Header.Get("Requestor-ID"))
	}
	// Output:
	// 123e4567-e89b-12d3-a456-426614174000
	// 6ba7b810-9dad-11d1-80b4-00c04fd430c8
}
