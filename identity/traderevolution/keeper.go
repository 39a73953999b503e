package traderevolution

import "b2trader.identity.auth/identity/tokenapi"

// Keeper returns a vault.Refresher that keeps the account signed in: it renews
// by the refresh token, and signs in again when that has expired or is refused.
//
// Errors: every problem of the account, each a *tokenapi.FieldError.
func (c *Client) Keeper(account tokenapi.Account) (*tokenapi.Keeper, error) {
	return tokenapi.NewKeeper(tokenapi.KeeperConfig{
		System: system, Account: account, SignIn: c.SignIn, Refresh: c.Refresh, Now: c.peer.HTTP.Now,
	})
}
