package identity

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"

	"b2trader.identity.auth/identity/internal/httpx"
	"b2trader.identity.auth/identity/tokenapi"
)

// RevokeToken revokes a refresh token at /identity/connect/revocation (RFC 7009).
// Unlike SignOut it needs no live access token, so an expired sign-in need not be
// renewed first. It does not end the IdentityServer's session.
//
// Errors: errors.ErrUnsupported, without a request, if the server's discovery
// document has no revocation_endpoint, or by the answer, if there is no document
// or the server does not revoke refresh tokens (unsupported_token_type);
// ErrNoRefreshToken; ErrMisconfigured; ErrUnavailable; ErrUnusableAnswer.
func (c *Client) RevokeToken(ctx context.Context, refreshToken string) error {
	const op = "revoke token"
	if refreshToken == "" {
		return fail(op, ErrNoRefreshToken, "")
	}
	meta, err := c.keys.metadata(ctx)
	if err != nil {
		return err
	}
	if meta.Revocation == "" {
		return fail(op, errors.ErrUnsupported, "the discovery document has no revocation_endpoint")
	}
	x := c.exchange(op, refreshToken)
	form := url.Values{"token": {refreshToken}, "token_type_hint": {"refresh_token"}}
	if err := x.Send(ctx, httpx.Request{URL: c.endpoint("/identity/connect/revocation"), Header: c.authenticate(form), Body: form}); err != nil {
		return err
	}
	if x.OK() {
		return nil
	}
	if c.config.JWKSURL != "" && httpx.NoEndpoint(x.Last.StatusCode) { // no document said that it exists
		return x.Refusal(errors.ErrUnsupported, httpx.Problem{Description: "the server has no such endpoint"})
	}
	v := httpx.OAuth
	v.Codes = maps.Clone(v.Codes)
	v.Codes["unsupported_token_type"] = errors.ErrUnsupported // RFC 7009 section 2.2.1
	v.Status = map[int]error{http.StatusUnauthorized: tokenapi.ErrMisconfigured}
	return x.Refused(v)
}
