package b2binpay

import "b2trader.identity.auth/identity/tokenapi"

// Keeper returns a vault.Refresher that keeps the account signed in: it
// refreshes, and signs in again when the refresh token has expired or is refused
// (the article, step 4). OnSuspicious still receives the refusal. Its MaxUses is
// the Client's.
//
// The account's default Pace stays below the vendor's lowest limit for requests
// without a token, 15 a minute.
//
// Errors: every problem of the account, each a *tokenapi.FieldError.
func (c *Client) Keeper(account tokenapi.Account) (*tokenapi.Keeper, error) {
	return tokenapi.NewKeeper(tokenapi.KeeperConfig{
		System: system, Account: account, SignIn: c.SignIn, Refresh: c.Refresh, MaxUses: c.MaxUses(), Now: c.peer.HTTP.Now,
	})
}
