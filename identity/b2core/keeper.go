package b2core

import (
	"context"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/tokenapi"
)

// Keeper returns a vault.Refresher that keeps the platform's tokens alive
// without a person: it renews as [Client.Refresh], but a B2Core session that has
// ended does not end the vault's entry. It asks Config.Bearer again, at that
// pace, so a new bearer needs no restart.
//
// Errors: every problem of the pace, each a *tokenapi.FieldError.
func (c *Client) Keeper(pace tokenapi.Pace) (*tokenapi.Keeper, error) {
	bearer := tokenapi.Fixed("the bearer of Config.Bearer") // SignIn asks for it
	return tokenapi.NewKeeper(tokenapi.KeeperConfig{
		System:  system,
		Account: tokenapi.Account{Login: c.config.PlatformID, Password: bearer, Pace: pace},
		SignIn:  func(ctx context.Context, _, _ string) (*oauth2.Token, error) { return c.SignIn(ctx) },
		Refresh: c.Refresh,
		Now:     c.peer.HTTP.Now,
	})
}
