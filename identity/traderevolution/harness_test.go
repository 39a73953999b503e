package traderevolution_test

import (
	"testing"
	"testing/synctest"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/internal/clienttest"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/traderevolution"
	"b2trader.identity.auth/identity/traderevolution/traderevolutiontest"
)

const (
	login    = traderevolutiontest.SampleLogin
	password = traderevolutiontest.SamplePassword

	// bubbleURL is the URL of a server without a socket.
	bubbleURL = "https://backoffice.example:8443/proftrading/rest"
)

func newClient(t testing.TB, url string, changes ...func(*traderevolution.Config)) *traderevolution.Client {
	t.Helper()
	return clienttest.New(t, traderevolution.New, traderevolution.Config{URL: url}, changes...)
}

// start returns a server on a socket and its client.
func start(t testing.TB, cfg traderevolutiontest.Config, changes ...func(*traderevolution.Config)) (*traderevolutiontest.Server, *traderevolution.Client) {
	t.Helper()
	server := traderevolutiontest.Start(t, cfg)
	return server, newClient(t, server.BaseURL(), changes...)
}

// inMemory returns a server without a socket and its client.
func inMemory(t testing.TB, cfg traderevolutiontest.Config, changes ...func(*traderevolution.Config)) (*traderevolutiontest.Server, *traderevolution.Client) {
	t.Helper()
	server := clienttest.New(t, traderevolutiontest.New, cfg)
	connect := func(c *traderevolution.Config) { c.HTTP.Transport = server.Transport() }
	return server, newClient(t, bubbleURL, append([]func(*traderevolution.Config){connect}, changes...)...)
}

// inBubble runs f on virtual time.
func inBubble(t *testing.T, f func(t *testing.T, server *traderevolutiontest.Server, client *traderevolution.Client), changes ...func(*traderevolution.Config)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		server, client := inMemory(t, traderevolutiontest.Config{}, changes...)
		f(t, server, client)
	})
}

func signIn(t testing.TB, client *traderevolution.Client) *oauth2.Token {
	t.Helper()
	token, err := client.SignIn(t.Context(), login, password)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// wantError checks that err is traderevolution's and wraps want, and returns it.
func wantError(t testing.TB, err, want error) *tokenapi.Error {
	t.Helper()
	return clienttest.WantError(t, "traderevolution", err, want)
}

// answer returns a fault that answers with a body.
func answer(body []byte) apitest.Fault { return apitest.Fault{Status: 200, Body: body} }
