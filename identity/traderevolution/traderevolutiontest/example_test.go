package traderevolutiontest_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/traderevolution"
	"b2trader.identity.auth/identity/traderevolution/traderevolutiontest"
)

// Sign in while the server fails, then again. A test that needs a port calls
// traderevolutiontest.Start.
func Example() {
	ctx := context.Background()
	server, err := traderevolutiontest.New(traderevolutiontest.Config{})
	if err != nil {
		log.Fatal(err)
	}
	client, err := traderevolution.New(traderevolution.Config{
		URL:  "https://backoffice.example/proftrading/rest",
		HTTP: tokenapi.HTTP{Transport: server.Transport()}, // without a socket
	})
	if err != nil {
		log.Fatal(err)
	}
	server.Inject(traderevolutiontest.EndpointToken, apitest.Fault{Status: http.StatusServiceUnavailable})

	for range 2 {
		token, err := client.SignIn(ctx, traderevolutiontest.SampleLogin, traderevolutiontest.SamplePassword)
		fmt.Println(token.Valid(), errors.Is(err, tokenapi.ErrUnavailable))
	}
	fmt.Println("requests:", server.Count(traderevolutiontest.EndpointToken))
	// Output:
	// false true
	// true false
	// requests: 2
}
