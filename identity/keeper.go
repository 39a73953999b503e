package identity

import "b2trader.identity.auth/identity/tokenapi"

// A Keeper keeps an account signed in. Its methods are in the documentation of [tokenapi.Keeper].
type Keeper = tokenapi.Keeper

// A PausedError says that a [Keeper] does not sign in just now: it did a moment ago, or its password was refused.
type PausedError = tokenapi.PausedError

// Keeper returns what keeps the account, whose Login is its e-mail address, signed in, for package vault: it renews by the refresh
// token, and signs in again when that is refused, by [Client.MachineToMachineSignIn], whose warning it inherits. The client is
// core_ib, lk, or another that has a secret and the password grant.
//
// Errors: every problem of the account; that the client has no secret.
func (c *Client) Keeper(account tokenapi.Account) (*Keeper, error) {
	if c.config.ClientSecret.IsZero() {
		p := tokenapi.Problems{Package: system + ": Keeper"}
		p.Missing("ClientSecret", true)
		return nil, p.Err()
	}
	return tokenapi.NewKeeper(tokenapi.KeeperConfig{
		System: system, Account: account, SignIn: c.MachineToMachineSignIn, Refresh: c.Refresh, Now: c.config.Now,
	})
}
