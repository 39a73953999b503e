package apitest_test

import (
	"cmp"
	"fmt"
	"io"
	"log"
	"net/http"
	"strings"

	"b2trader.identity.auth/identity/apitest"
)

// A test server with one endpoint, which checks a password and issues a token.
// Its first request has a fault.
func Example() {
	const endpointToken apitest.Endpoint = "token"
	api := apitest.New(apitest.Config{Name: "exampletest"})
	api.Handle("/api/token", endpointToken, func(x *apitest.Exchange) {
		var in struct{ Password string }
		switch {
		case !x.AllowOnly(http.MethodPost):
		case !x.Decode(&in) || in.Password != "open sesame":
			x.Note("wrong password")
			x.Status(http.StatusUnauthorized)
		default:
			x.JSON(http.StatusOK, "application/json", apitest.Object{{"token", "t-1"}, {"expires_in", 300}})
		}
	})
	api.Inject(endpointToken, apitest.Fault{Status: http.StatusServiceUnavailable, RetryAfter: "1"})

	client := &http.Client{Transport: api.Transport()}
	for _, password := range []string{"open sesame", "open sesame", "guess"} {
		body := strings.NewReader(`{"password":"` + password + `"}`)
		answer, err := client.Post("http://api.example/api/token", "application/json", body)
		if err != nil {
			log.Fatal(err)
		}
		text, err := io.ReadAll(answer.Body)
		if err != nil {
			log.Fatal(err)
		}
		_ = answer.Body.Close() // read to its end
		fmt.Printf("%d %s\n", answer.StatusCode, cmp.Or(string(text), "-"))
	}
	asked := api.Requests(endpointToken)
	fmt.Println(api.Count(endpointToken), asked[2].Problem)
	fmt.Println(asked[2].Wire("Content-Type"))
	// Output:
	// 503 -
	// 200 {"token":"t-1","expires_in":300}
	// 401 -
	// 3 wrong password
	// POST /api/token
	// Content-Type: application/json
	//
	// {"password":"guess"}
}
