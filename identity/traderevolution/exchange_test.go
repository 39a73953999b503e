package traderevolution_test

import (
	"net/http"
	"testing"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/internal/clienttest"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/traderevolution"
	"b2trader.identity.auth/identity/traderevolution/traderevolutiontest"
)

func TestExchanges(t *testing.T) {
	clienttest.Exchanges(t, clienttest.Subject[*traderevolution.Client]{
		System: "traderevolution",
		New: func(t testing.TB, http tokenapi.HTTP, url string) *traderevolution.Client {
			return newClient(t, url, func(c *traderevolution.Config) { c.HTTP = http })
		},
		Operations: operations,
	})
}

// The token is what the API wants of it.
func TestTokensOpenTheAPI(t *testing.T) {
	server, client := start(t, traderevolutiontest.Config{})
	status := func(token *oauth2.Token) int {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.BaseURL()+traderevolutiontest.APIPath, nil)
		if err != nil {
			t.Fatal(err)
		}
		token.SetAuthHeader(r)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close() // the status will do
		return answer.StatusCode
	}
	token := signIn(t, client)
	if got := status(token); got != 200 {
		t.Errorf("signed in: got %d", got)
	}
	server.ExpireTokens()
	if got := status(token); got != 401 {
		t.Errorf("expired: got %d", got)
	}
	next, err := client.Refresh(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	if got := status(next); got != 200 {
		t.Errorf("renewed: got %d", got)
	}
}
