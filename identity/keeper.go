package identity

import "b2trader.identity.auth/identity/tokenapi"

// Keeper returns a Keeper for an account whose Login is its e-mail address. It
// renews by the refresh token, and signs in by [Client.MachineToMachineSignIn],
// whose warning applies. The client must have a secret and the password grant,
// as core_ib and lk have.
//
// Errors: every problem of the account, each a *tokenapi.FieldError, or that
// the client has no secret.
func (c *Client) Keeper(account tokenapi.Account) (*tokenapi.Keeper, error) {
	if c.config.ClientSecret.IsZero() {
		p := tokenapi.Problems{Package: system + ": Keeper"}
		p.Missing("ClientSecret", true)
		return nil, p.Err()
	}
	return tokenapi.NewKeeper(tokenapi.KeeperConfig{
		System: system, Account: account, SignIn: c.MachineToMachineSignIn, Refresh: c.Refresh, Now: c.peer.HTTP.Now,
	})
}
