package b2binpay_test

import (
	"testing"
	"testing/synctest"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/b2binpay"
	"b2trader.identity.auth/identity/b2binpay/b2binpaytest"
	"b2trader.identity.auth/identity/internal/clienttest"
	"b2trader.identity.auth/identity/tokenapi"
)

const (
	login    = b2binpaytest.SampleLogin
	password = b2binpaytest.SamplePassword

	// bubbleURL is the URL of a server without a socket.
	bubbleURL = "https://api.b2binpay.example"
)

func newClient(t testing.TB, url string, changes ...func(*b2binpay.Config)) *b2binpay.Client {
	t.Helper()
	return clienttest.New(t, b2binpay.New, b2binpay.Config{URL: url}, changes...)
}

// start returns a server on a socket and its client.
func start(t testing.TB, cfg b2binpaytest.Config, changes ...func(*b2binpay.Config)) (*b2binpaytest.Server, *b2binpay.Client) {
	t.Helper()
	server := b2binpaytest.Start(t, cfg)
	return server, newClient(t, server.URL(), changes...)
}

// inMemory returns a server without a socket and its client.
func inMemory(t testing.TB, cfg b2binpaytest.Config, changes ...func(*b2binpay.Config)) (*b2binpaytest.Server, *b2binpay.Client) {
	t.Helper()
	server := clienttest.New(t, b2binpaytest.New, cfg)
	connect := func(c *b2binpay.Config) { c.HTTP.Transport = server.Transport() }
	return server, newClient(t, bubbleURL, append([]func(*b2binpay.Config){connect}, changes...)...)
}

// inBubble runs f on virtual time.
func inBubble(t *testing.T, cfg b2binpaytest.Config, f func(t *testing.T, server *b2binpaytest.Server, client *b2binpay.Client), changes ...func(*b2binpay.Config)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		server, client := inMemory(t, cfg, changes...)
		f(t, server, client)
	})
}

func signIn(t testing.TB, client *b2binpay.Client) *oauth2.Token {
	t.Helper()
	token, err := client.SignIn(t.Context(), login, password)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func refresh(t testing.TB, client *b2binpay.Client, old *oauth2.Token) *oauth2.Token {
	t.Helper()
	token, err := client.Refresh(t.Context(), old)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// wantError checks that err is b2binpay's and wraps want, and returns it.
func wantError(t testing.TB, err, want error) *tokenapi.Error {
	t.Helper()
	return clienttest.WantError(t, "b2binpay", err, want)
}

// attributes returns those of an answer, for a Fault's Answer to change.
func attributes(fields map[string]any) map[string]any {
	data, _ := fields["data"].(map[string]any)
	a, _ := data["attributes"].(map[string]any)
	return a
}

// answering returns a fault that answers with a body.
func answering(body []byte) apitest.Fault { return apitest.Fault{Status: 200, Body: body} }
