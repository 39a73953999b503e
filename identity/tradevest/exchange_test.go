package tradevest_test

import (
	"context"
	"testing"

	"b2trader.identity.auth/identity/internal/clienttest"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/tradevest"
	"b2trader.identity.auth/identity/tradevest/tradevesttest"
)

func TestExchanges(t *testing.T) {
	clienttest.Exchanges(t, clienttest.Subject[*tradevest.Client]{
		System: "tradevest",
		New: func(t testing.TB, http tokenapi.HTTP, url string) *tradevest.Client {
			return clienttest.New(t, tradevest.New, tradevest.Config{
				URL: url, ClientID: "partner", ClientSecret: tokenapi.Fixed(odd), RequestorID: someone, HTTP: http,
			})
		},
		Operations: []clienttest.Operation[*tradevest.Client]{{
			Name: "sign in", Endpoint: tradevesttest.EndpointToken, Secrets: []string{odd},
			Call: func(ctx context.Context, t testing.TB, client *tradevest.Client) error {
				token, err := client.SignIn(ctx)
				return clienttest.OnlyOne(t, token != nil, err)
			},
		}},
	})
}
