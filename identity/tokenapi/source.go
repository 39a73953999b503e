package tokenapi

import (
	"context"

	"golang.org/x/oauth2"
)

// RefreshExpiry is the name of a token's extra that says when the refresh token expires: a time.Time, by our clock.
const RefreshExpiry = "refresh_expiry"

// A Source gives a live token to whoever needs one to get another, as B2Core's platforms do. If refused is not nil, the
// server has not accepted that one, and another is wanted. A vault's Source is one.
type Source func(ctx context.Context, refused *oauth2.Token) (*oauth2.Token, error)

// Fixed returns a function that always returns the same secret, for a Config that asks for it each time it is needed.
func Fixed(secret string) func() (Secret, error) {
	s := NewSecret(secret)
	return func() (Secret, error) { return s, nil }
}
