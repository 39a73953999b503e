package b2coretest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/b2core/b2coretest"
)

// Get tokens of B2Trader without a socket. The first request gets a 503.
func Example() {
	ctx := context.Background()
	server, err := b2coretest.New(b2coretest.Config{})
	if err != nil {
		log.Fatal(err)
	}
	server.Inject(b2coretest.EndpointAuth, apitest.Fault{Status: http.StatusServiceUnavailable, Body: []byte("{}")})
	bearer, err := server.Bearer(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	client := &http.Client{Transport: server.Transport()}
	for range 2 {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://my.broker.example/api/v2/my/platforms/1/auth", nil)
		if err != nil {
			log.Fatal(err)
		}
		bearer.SetAuthHeader(req)
		answer, err := client.Do(req)
		if err != nil {
			log.Fatal(err)
		}
		fields := map[string]any{}
		if err := json.NewDecoder(answer.Body).Decode(&fields); err != nil {
			log.Fatal(err)
		}
		_ = answer.Body.Close()
		fmt.Println(answer.Status, fields["ttl"], fields["host"], fields["header"])
	}
	fmt.Println(server.Count(b2coretest.EndpointAuth), "requests")
	// Output:
	// 503 Service Unavailable <nil> <nil> <nil>
	// 200 OK 60 https://my.broker.example Authorization
	// 2 requests
}
