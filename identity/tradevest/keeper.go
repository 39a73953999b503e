package tradevest

import (
	"context"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/tokenapi"
)

// Keeper returns a vault.Refresher that keeps the partner signed in: each
// renewal is a sign-in, at that pace, and a refused secret is not tried again
// for a while. Each Keeper counts its own attempts, so make one.
//
// Errors: every problem of the pace, each a *tokenapi.FieldError.
func (c *Client) Keeper(pace tokenapi.Pace) (*tokenapi.Keeper, error) {
	return tokenapi.NewKeeper(tokenapi.KeeperConfig{
		System:  system,
		Account: tokenapi.Account{Login: c.config.ClientID, Password: c.config.ClientSecret, Pace: pace},
		SignIn: func(ctx context.Context, _, secret string) (*oauth2.Token, error) {
			return c.signIn(ctx, tokenapi.NewSecret(secret))
		},
		Now: c.peer.HTTP.Now,
	})
}
