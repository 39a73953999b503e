package tradevest

import (
	"context"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/tokenapi"
)

// Keeper returns what keeps the partner signed in, for package vault, at that pace: it signs in again when asked for the next
// token, and does not try a secret again for a while that was refused. Each Keeper counts its own attempts, so make one.
//
// Errors: every problem of the pace.
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
