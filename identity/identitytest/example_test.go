package identitytest_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/websocket"

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

// A client of the streams: it opens the hub's websocket with its token, shakes
// hands, and opens the stream of prices. By a fixed clock the prices stand still.
func Example_streams() {
	noon := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	server, err := identitytest.New(identitytest.Config{Now: func() time.Time { return noon }})
	if err != nil {
		log.Panic(err)
	}
	listener, err := server.Listen("127.0.0.1:0")
	if err != nil {
		log.Panic(err)
	}
	go func() { _ = http.Serve(listener, server) }() // ends when the listener is closed
	defer func() { _ = listener.Close() }()
	answer, err := http.PostForm(server.URL()+"/identity/connect/token", url.Values{
		"grant_type": {"password"}, "username": {"machine@example.com"}, "password": {"machine-password"},
		"client_id": {"lk"}, "client_secret": {"lk-secret"},
	})
	if err != nil {
		log.Panic(err)
	}
	defer func() { _ = answer.Body.Close() }()
	var token struct {
		Access string `json:"access_token"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&token); err != nil {
		log.Panic(err)
	}

	hub := strings.Replace(server.URL(), "http", "ws", 1) + "/frontoffice/ws/v4/account?access_token=" + token.Access
	conn, err := websocket.Dial(hub, "", server.URL())
	if err != nil {
		log.Panic(err)
	}
	defer func() { _ = conn.Close() }()
	messages := bufio.NewReader(conn)
	for _, message := range []string{
		`{"protocol":"json","version":1}`,
		`{"type":4,"invocationId":"1","target":"Prices","arguments":[]}`,
	} {
		if _, err := conn.Write([]byte(message + "\x1e")); err != nil {
			log.Panic(err)
		}
		answer, err := messages.ReadString('\x1e')
		if err != nil {
			log.Panic(err)
		}
		fmt.Println(strings.TrimSuffix(answer, "\x1e"))
	}
	// Output:
	// {}
	// {"type":2,"invocationId":"1","item":{"instrument":"BTC_USD","bid":"64198.57","ask":"64209.07","time":"2026-11-26T12:00:00.000Z"}}
}
