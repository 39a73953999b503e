package traderevolution

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/tokenapi"
)

// Keeper returns what keeps the account of that login signed in without a person, for package vault: it renews by the refresh
// token, and signs in again when that has expired or is refused. The password is asked before every sign-in.
func (c *Client) Keeper(login string, password func() (tokenapi.Secret, error)) (*tokenapi.Keeper, error) {
	var problems []error
	if login == "" {
		problems = append(problems, errors.New("login is empty"))
	}
	if password == nil {
		problems = append(problems, errors.New("password is nil"))
	}
	if err := errors.Join(problems...); err != nil {
		return nil, fmt.Errorf("%s: Keeper: %w", system, err)
	}
	return tokenapi.NewKeeper(tokenapi.KeeperConfig{
		Name:   system,
		Secret: password,
		SignIn: func(ctx context.Context, password tokenapi.Secret) (*oauth2.Token, error) {
			return c.SignIn(ctx, login, password.Reveal())
		},
		Refresh: c.Refresh,
		Now:     c.peer.HTTP.Now,
	})
}
