package oauth2refresher

import (
	"cmp"
	"context"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/internal/httpx"
)

// Refresh exchanges the refresh token of old for a new token (RFC 6749 section
// 6). The request is sent once. A refresh token, ID token or scope that the
// answer leaves out stays as it is in old. The Expiry counts from the moment the
// request was sent.
//
// After an error with Sent set, the provider may have used the refresh token up.
//
// Errors: see the package documentation; ErrGrantRefused without a request if
// old has no refresh token.
func (r *Refresher) Refresh(ctx context.Context, old *oauth2.Token) (*oauth2.Token, error) {
	call, err := r.peer.Refreshing(old)
	if err != nil {
		return nil, err
	}
	secret := r.clientSecret.Reveal()
	call.Secrets = append(append(call.Secrets, secret), httpx.BasicCredentials(r.clientID, secret)...)
	call.DefaultTokenType = "Bearer"
	token, err := call.Retrieve(r.verdict, 0, func() (*oauth2.Token, error) {
		return r.oauth2().TokenSource(call.Context(ctx), &oauth2.Token{RefreshToken: old.RefreshToken}).Token()
	})
	if err != nil {
		return nil, err
	}
	if !token.Expiry.After(call.Sent) { // no expires_in, or 0
		token.Expiry = time.Time{}
		if r.defaultLifetime > 0 {
			token.Expiry = call.Sent.Add(r.defaultLifetime)
		}
	}
	return withExtras(token, old), nil
}

// oauth2 returns a new oauth2.Config for each use: one in the Refresher would
// show the secret where a Refresher is printed.
func (r *Refresher) oauth2() *oauth2.Config {
	return &oauth2.Config{
		ClientID:     r.clientID,
		ClientSecret: r.clientSecret.Reveal(),
		Endpoint:     oauth2.Endpoint{TokenURL: r.tokenURL, AuthStyle: r.authStyle},
	}
}

// withExtras returns token with the extras that package vault keeps, or with
// those of old that token lacks.
func withExtras(token, old *oauth2.Token) *oauth2.Token {
	extras := map[string]any{}
	for _, name := range []string{"id_token", "scope"} {
		value, _ := token.Extra(name).(string)
		before, _ := old.Extra(name).(string)
		if value = cmp.Or(value, before); value != "" {
			extras[name] = value
		}
	}
	return token.WithExtra(extras)
}
