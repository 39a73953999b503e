package tradevest

import "b2trader.identity.auth/identity/tokenapi"

// Keeper returns what keeps the partner signed in: it signs in again when asked for the next token, at most once in 10
// seconds, and does not try a secret again for a while that was refused; another one it tries at once. It is what package vault calls a
// Refresher. Each Keeper counts its own attempts, so make one.
//
// Errors: none; what tokenapi.NewKeeper asks for, New has checked.
func (c *Client) Keeper() (*tokenapi.Keeper, error) {
	return tokenapi.NewKeeper(tokenapi.KeeperConfig{
		Name:   system,
		Secret: c.config.ClientSecret,
		SignIn: c.signIn,
		Now:    c.peer.HTTP.Now,
	})
}
