package tradevesttest_test

import (
	"context"
	"fmt"
	"log"
	"net/http"

	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/tradevest"
	"b2trader.identity.auth/identity/tradevest/tradevesttest"
	"b2trader.identity.auth/identity/worker"
)

// Call an API twice as a partner who signs in once. A test that needs a port
// calls tradevesttest.Start.
func Example() {
	ctx := context.Background()
	server, err := tradevesttest.New(tradevesttest.Config{})
	if err != nil {
		log.Fatal(err)
	}
	client, err := tradevest.New(tradevest.Config{
		URL:      "https://auth.tradevest.example",
		ClientID: tradevesttest.SampleClientID, ClientSecret: tokenapi.Fixed(tradevesttest.SampleClientSecret),
		RequestorID: "9e107d9d-372b-4b6c-8a5e-2f3c1d0e4a77",
		HTTP:        tokenapi.HTTP{Transport: server.Transport()}, // without a socket
	})
	if err != nil {
		log.Fatal(err)
	}
	partner, err := worker.New(client, tokenapi.Pace{}, worker.Config{Transport: client.Transport(server.Transport())})
	if err != nil {
		log.Fatal(err)
	}
	for range 2 {
		resp, err := partner.Client().Get("https://api.tradevest.example" + tradevesttest.APIPath)
		if err != nil {
			log.Fatal(err)
		}
		_ = resp.Body.Close()
		fmt.Println(resp.StatusCode == http.StatusOK)
	}
	if err := partner.Close(ctx); err != nil {
		log.Fatal(err)
	}
	fmt.Println("sign-ins:", server.Count(tradevesttest.EndpointToken))
	// Output:
	// true
	// true
	// sign-ins: 1
}
