package vault

import (
	"context"
	"time"

	"golang.org/x/oauth2"
)

// youngToken is the age below which a token that an API refuses is not renewed.
const youngToken = 5 * time.Second

// Newer returns another token than refused, which an API has answered with 401.
// It returns nil if there is none and refused is younger than five seconds: a
// renewed token would be refused, too. So an API that refuses every token
// causes at most one renewal in five seconds. A token from the future is not
// young: a clock was set back.
//
// Errors: as Token.
func (v *Vault) Newer(ctx context.Context, key string, refused *oauth2.Token) (*oauth2.Token, error) {
	current, err := v.Token(ctx, key)
	if err != nil || current.AccessToken != refused.AccessToken {
		return current, err
	}
	status, err := v.Status(ctx, key)
	if err != nil || status.Age >= 0 && status.Age < youngToken {
		return nil, err
	}
	return v.Renew(ctx, key, current)
}
