package oauth2refresher

import (
	"context"
	"net/url"
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
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {old.RefreshToken}}
	header := httpx.AuthenticateClient(form, r.clientID, secret, r.secretInForm)
	header.Set("Accept", "application/json")
	token, err := call.Retrieve(ctx, httpx.Grant{URL: r.tokenURL, Form: form, Header: header, TokenType: "Bearer"}, r.verdict)
	if err != nil {
		return nil, err
	}
	if !token.Expiry.After(call.Sent) { // no expires_in, or 0
		token.Expiry = time.Time{}
		if r.defaultLifetime > 0 {
			token.Expiry = call.Sent.Add(r.defaultLifetime)
		}
	}
	return httpx.Inherit(token, old), nil
}
