package b2binpay

import "b2trader.identity.auth/identity/tokenapi"

// Keeper returns what keeps the account signed in, for package vault: it refreshes, and signs in again when the refresh token
// has expired or is refused (the article, step 4), so that a refusal costs a sign-in and no session; OnSuspicious
// hears of it. Its MaxUses is the Client's.
//
// The account's default Pace keeps well below the lowest limit that the vendor names for requests without a token, 15 a minute.
//
// Errors: every problem of the account.
func (c *Client) Keeper(account tokenapi.Account) (*tokenapi.Keeper, error) {
	return tokenapi.NewKeeper(tokenapi.KeeperConfig{
		System: system, Account: account, SignIn: c.SignIn, Refresh: c.Refresh, MaxUses: c.MaxUses(), Now: c.peer.HTTP.Now,
	})
}
