package traderevolution_test

import (
	"context"
	"errors"
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

	// bubbleURL is the server's in a bubble, where it has no socket.
	bubbleURL = "https://backoffice.example:8443/proftrading/rest"
)

// newClient returns a client, changed by each change.
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

// wantError checks that err is this package's and wraps want, and returns it.
func wantError(t testing.TB, err, want error) *tokenapi.Error {
	t.Helper()
	return clienttest.WantError(t, "traderevolution", err, want)
}

// answer is a fault that answers with a body.
func answer(body []byte) apitest.Fault { return apitest.Fault{Status: 200, Body: body} }

// The secrets of the operations' calls.
const (
	sentPassword = "pa55word/+=\"<&>\\"
	sentRefresh  = "5f0c1a7d3e9b/+="
	sentOTT      = "9d2e4b6f8a01/+="
)

// operations are the calls that ask one endpoint each, for what they have in common.
var operations = []clienttest.Operation[*traderevolution.Client]{
	{Name: "sign in", Endpoint: traderevolutiontest.EndpointToken, Secrets: []string{sentPassword},
		Call: func(ctx context.Context, t testing.TB, c *traderevolution.Client) error {
			token, err := c.SignIn(ctx, login, sentPassword)
			return clienttest.OnlyOne(t, token != nil, err)
		}},
	{Name: "refresh token", Endpoint: traderevolutiontest.EndpointRefresh, Secrets: []string{sentRefresh},
		Call: func(ctx context.Context, t testing.TB, c *traderevolution.Client) error {
			token, err := c.Refresh(ctx, &oauth2.Token{RefreshToken: sentRefresh})
			return clienttest.OnlyOne(t, token != nil, err)
		}},
	{Name: "verify one-time token", Endpoint: traderevolutiontest.EndpointVerify, Secrets: []string{sentOTT},
		Call: func(ctx context.Context, t testing.TB, c *traderevolution.Client) error {
			ott, err := c.VerifyOTT(ctx, sentOTT)
			clienttest.Hides(t, ott, sentOTT)
			if ott != nil && err != nil && (ott.StatusCode/100 == 2 || errors.Is(err, tokenapi.ErrUnusableAnswer)) {
				if ott.Valid || ott.Login != "" || ott.Token != nil {
					t.Error("an answer that is an error is believed")
				}
				ott = nil
			}
			return clienttest.OnlyOne(t, ott != nil, err)
		}},
}
