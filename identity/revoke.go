package identity

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"

	"b2trader.identity.auth/identity/internal/httpx"
	"b2trader.identity.auth/identity/tokenapi"
)

const formType = "application/x-www-form-urlencoded"

// RevokeToken revokes a refresh token at /identity/connect/revocation (RFC 7009).
// Unlike SignOut it needs no live access token, so an expired sign-in need not be
// renewed first. It does not end the IdentityServer's session.
//
// Errors: errors.ErrUnsupported, without a request, if the server's discovery
// document has no revocation_endpoint; ErrNoRefreshToken; ErrMisconfigured;
// ErrUnavailable; ErrUnusableAnswer.
func (c *Client) RevokeToken(ctx context.Context, refreshToken string) error {
	const op = "revoke token"
	if refreshToken == "" {
		return fail(op, ErrNoRefreshToken, "")
	}
	meta, err := c.keys.metadata(ctx)
	if err != nil {
		return err
	}
	if !meta.revocation {
		return fail(op, errors.ErrUnsupported, "the discovery document has no revocation_endpoint")
	}
	x := c.exchange(op, refreshToken)
	form := url.Values{"token": {refreshToken}, "token_type_hint": {"refresh_token"}}
	header := http.Header{}
	if secret := c.config.ClientSecret.Reveal(); secret == "" {
		form.Set("client_id", c.config.ClientID)
	} else { // both parts are form-encoded (RFC 6749 section 2.3.1)
		pair := url.QueryEscape(c.config.ClientID) + ":" + url.QueryEscape(secret)
		header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(pair)))
	}
	if err := x.Send(ctx, httpx.Request{
		Method: http.MethodPost, URL: c.endpoint("/identity/connect/revocation"), Header: header, Body: form, MediaType: formType,
	}); err != nil {
		return err
	}
	if x.OK() {
		return nil
	}
	v := httpx.OAuth
	v.Status = map[int]error{http.StatusUnauthorized: tokenapi.ErrMisconfigured}
	return x.Refused(v)
}
