package b2binpaytest_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"strings"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/b2binpay/b2binpaytest"
)

// Sign in without the client, once with a lost answer.
func Example() {
	server, err := b2binpaytest.New(b2binpaytest.Config{ID: "0"})
	if err != nil {
		log.Fatal(err)
	}
	server.Inject(b2binpaytest.EndpointToken, apitest.Fault{LoseAnswer: true})

	client := &http.Client{Transport: server.Transport()}
	for _, password := range []string{b2binpaytest.SamplePassword, b2binpaytest.SamplePassword, "guess"} {
		body := `{"data":{"type":"auth-token","attributes":{"login":"` + b2binpaytest.SampleLogin + `","password":"` + password + `"}}}`
		answer, err := client.Post("https://api.b2binpay.example/token/", "application/vnd.api+json", strings.NewReader(body))
		if err != nil {
			fmt.Println("no answer")
			continue
		}
		text, err := io.ReadAll(answer.Body)
		if err != nil {
			log.Fatal(err)
		}
		_ = answer.Body.Close()
		fmt.Printf("%d %.76s\n", answer.StatusCode, text)
	}
	fmt.Println(server.Count(b2binpaytest.EndpointToken), server.Requests(b2binpaytest.EndpointToken)[2].Problem)
	// Output:
	// no answer
	// 200 {"data":{"type":"auth-token","id":"0","attributes":{"refresh":"eyJhbGciOiJIU
	// 400 {"errors":[{"status":"400","code":"2006","detail":"No active account found w
	// 3 2006: No active account found with the given credentials
}
