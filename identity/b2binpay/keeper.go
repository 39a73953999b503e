package b2binpay

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/tokenapi"
)

// Keeper returns what keeps the account of that login signed in: it refreshes, and signs in again when the refresh token
// has expired or is refused (the article, step 4), so that a refusal costs a sign-in and no session; OnSuspicious
// hears of it. Its MaxUses is the Client's. The password is asked for before every sign-in.
//
// It signs in at most every 10 seconds, which keeps well below the lowest limit that the vendor names for
// requests without a token, 15 a minute.
func (c *Client) Keeper(login string, password func() (tokenapi.Secret, error)) (*tokenapi.Keeper, error) {
	var missing error
	if login == "" {
		missing = errors.New("the login is missing")
	}
	keeper, err := tokenapi.NewKeeper(tokenapi.KeeperConfig{
		Name:   system,
		Secret: password,
		SignIn: func(ctx context.Context, password tokenapi.Secret) (*oauth2.Token, error) {
			return c.SignIn(ctx, login, password.Reveal())
		},
		Refresh: c.Refresh,
		MaxUses: c.MaxUses(),
		Now:     c.peer.HTTP.Now,
	})
	if err := errors.Join(missing, err); err != nil {
		return nil, fmt.Errorf("b2binpay: Keeper: %w", err)
	}
	return keeper, nil
}
