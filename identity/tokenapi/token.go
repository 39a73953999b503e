package tokenapi

import (
	"context"
	"time"

	"golang.org/x/oauth2"
)

// RefreshExpiry is the name of the extra that says when a token's refresh token
// expires: a time.Time, by this process's clock.
const RefreshExpiry = "refresh_expiry"

// A Source returns a live token, for a client that must show one to get
// another, as B2Core's platforms do. A caller passes the token that the server
// refused to get another one, or nil. The method Source of a vault returns one.
type Source func(ctx context.Context, refused *oauth2.Token) (*oauth2.Token, error)

// FirstToken returns an expired, empty token. A vault that starts with it signs
// in by the client's Refresh. (An oauth2.Token without an Expiry never
// expires.)
func FirstToken() *oauth2.Token { return &oauth2.Token{Expiry: time.Unix(0, 0)} }
