package identitytest_test

import (
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"strings"

	"b2trader.identity.auth/identity/identitytest"
)

// A machine-to-machine sign-in without a socket. The first renewal fails as at
// an overloaded server; the second works.
func Example() {
	server, err := identitytest.New(identitytest.Config{})
	if err != nil {
		log.Fatal(err)
	}
	client := &http.Client{Transport: server.Transport()}
	token := func(form url.Values) map[string]any {
		form.Set("client_id", "lk")
		form.Set("client_secret", "lk-secret")
		answer, err := client.PostForm("http://identity.example/identity/connect/token", form)
		if err != nil {
			log.Fatal(err)
		}
		defer func() { _ = answer.Body.Close() }()
		fmt.Println(answer.Status)
		fields := make(map[string]any)
		if err := json.NewDecoder(answer.Body).Decode(&fields); err != nil {
			log.Fatal(err)
		}
		return fields
	}

	signedIn := token(url.Values{
		"grant_type": {"password"}, "username": {"machine@example.com"}, "password": {"machine-password"},
	})
	fmt.Println(signedIn["scope"], signedIn["expires_in"])

	renew := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {fmt.Sprint(signedIn["refresh_token"])}}
	server.Inject(identitytest.EndpointToken, identitytest.Fault{
		Grant: "refresh_token", Status: http.StatusServiceUnavailable, Body: []byte("{}"),
	})
	token(renew)
	token(renew)
	fmt.Println("refresh requests:", server.Grants("refresh_token"))
	// Output:
	// 200 OK
	// openid FrontOffice offline_access 30
	// 503 Service Unavailable
	// 200 OK
	// refresh requests: 2
}

// Listen gives a program, such as a demo, a server of its own.
func ExampleServer_Listen() {
	server, err := identitytest.New(identitytest.Config{Issuer: identitytest.InternalIssuer})
	if err != nil {
		log.Fatal(err)
	}
	listener, err := server.Listen("127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() { _ = http.Serve(listener, server) }() // ends when the listener is closed
	defer func() { _ = listener.Close() }()

	_, err = server.Listen("0.0.0.0:8080")
	fmt.Println(strings.HasPrefix(server.URL(), "http://127.0.0.1:"), err)
	// Output:
	// true identitytest: 0.0.0.0:8080 is not a loopback address: this server is for tests only
}
