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

	// bubbleURL is the server's where it has no socket.
	bubbleURL = "https://api.b2binpay.example"
)

// newClient returns a client, changed by each change.
func newClient(t testing.TB, url string, changes ...func(*b2binpay.Config)) *b2binpay.Client {
	t.Helper()
	config := b2binpay.Config{URL: url}
	for _, change := range changes {
		change(&config)
	}
	client, err := b2binpay.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
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
	server, err := b2binpaytest.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
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

// wantError checks that err is this package's and wraps want, and returns it.
func wantError(t testing.TB, err, want error) *tokenapi.Error {
	t.Helper()
	return clienttest.WantError(t, "b2binpay", err, want)
}

// attributes are those of an answer, for a Fault's Answer to change.
func attributes(fields map[string]any) map[string]any {
	data, _ := fields["data"].(map[string]any)
	a, _ := data["attributes"].(map[string]any)
	return a
}

// answering is a fault that answers with a body.
func answering(body []byte) apitest.Fault { return apitest.Fault{Status: 200, Body: body} }

// sentRefresh is the refresh token of the operation below.
const sentRefresh = "eyJ0eXAi.eyJ0b2tlbl90eXBlIjoicmVmcmVzaCJ9.sample"

// An operation is one call of a client, as all tests of what the two have in common see it.
type operation struct {
	name     string
	endpoint apitest.Endpoint
	secret   string // that it sends
	call     func(*testing.T, *b2binpay.Client) error
}

var operations = []operation{
	{"sign in", b2binpaytest.EndpointToken, password, func(t *testing.T, c *b2binpay.Client) error {
		token, err := c.SignIn(t.Context(), login, password)
		return clienttest.OnlyOne(t, token != nil, err)
	}},
	{"refresh token", b2binpaytest.EndpointRefresh, sentRefresh, func(t *testing.T, c *b2binpay.Client) error {
		token, err := c.Refresh(t.Context(), &oauth2.Token{RefreshToken: sentRefresh})
		return clienttest.OnlyOne(t, token != nil, err)
	}},
}
