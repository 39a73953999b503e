package tokenapi

import (
	"context"
	"time"

	"golang.org/x/oauth2"
)

// RefreshExpiry is the name of a token's extra that says when the refresh token expires: a time.Time, by our clock.
const RefreshExpiry = "refresh_expiry"

// A Source gives a live token to whoever needs one to get another, as B2Core's platforms do. If refused is not nil, the
// server has not accepted that one, and another is wanted. A vault's Source is one.
type Source func(ctx context.Context, refused *oauth2.Token) (*oauth2.Token, error)

// FirstToken returns a token that has expired and holds nothing: what stands in a vault before there is one, for a client
// whose Refresh then signs in. (An oauth2.Token without an Expiry never expires.)
func FirstToken() *oauth2.Token { return &oauth2.Token{Expiry: time.Unix(0, 0)} }
