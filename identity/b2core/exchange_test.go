package b2core_test

import (
	"context"
	"sync"
	"testing"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/b2core"
	"b2trader.identity.auth/identity/internal/clienttest"
	"b2trader.identity.auth/identity/tokenapi"
)

// The secrets of the calls below.
const sentBearer, sentRefresh = "canary-bearer-5ecret/+=", "canary-refresh-5ecret/+="

func TestExchanges(t *testing.T) {
	operation := func(name string, secrets ...string) clienttest.Operation[*b2core.Client] {
		call := func(ctx context.Context, t testing.TB, client *b2core.Client) error {
			token, err := calls[name].call(ctx, client, &oauth2.Token{RefreshToken: sentRefresh})
			return clienttest.OnlyOne(t, token != nil, err)
		}
		return clienttest.Operation[*b2core.Client]{Name: name, Endpoint: calls[name].endpoint, Secrets: secrets, Call: call}
	}
	clienttest.Exchanges(t, clienttest.Subject[*b2core.Client]{
		System: "b2core",
		New: func(t testing.TB, http tokenapi.HTTP, url string) *b2core.Client {
			return clienttest.New(t, b2core.New, b2core.Config{URL: url, Bearer: b2core.StaticBearer(sentBearer), HTTP: http})
		},
		Operations: []clienttest.Operation[*b2core.Client]{
			operation("sign in", sentBearer), operation("refresh token", sentBearer, sentRefresh),
		},
	})
}

// A Client may be used by many at once.
func TestConcurrentUse(t *testing.T) {
	server, client := open(t)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			token, err := client.SignIn(t.Context())
			if err == nil {
				token, err = client.Refresh(t.Context(), token)
			}
			if err != nil || token.AccessToken == "" {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	asked(t, server, 20, 20)
}
