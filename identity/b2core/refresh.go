package b2core

import (
	"context"
	"net/http"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/internal/httpx"
	"b2trader.identity.auth/identity/tokenapi"
)

// What refusals of …/refresh mean. The page shows none, and each of these may be about the refresh token: a field that fails validation
// (400, 422), a credential that is not accepted (401, 403), a thing that is not there (404). If it is about the bearer or the
// platformId instead, signing in again meets the same refusal, and tells.
var refreshVerdict = httpx.Verdict{Status: map[int]error{
	http.StatusBadRequest:          tokenapi.ErrGrantRefused,
	http.StatusUnauthorized:        tokenapi.ErrGrantRefused,
	http.StatusForbidden:           tokenapi.ErrGrantRefused,
	http.StatusNotFound:            tokenapi.ErrGrantRefused,
	http.StatusUnprocessableEntity: tokenapi.ErrGrantRefused,
}}

type refreshRequest struct {
	RefreshToken string `json:"refreshToken"`
}

// Refresh gets the successor of old by its refresh token: POST …/refresh. If old is nil or has none, or it is refused, Refresh signs in again
// by the bearer. An answer without a refresh token leaves that of old in use.
//
// After an error with Sent set, B2Core may have spent the refresh token. It is what package vault calls a Refresher.
//
// Errors: as SignIn.
func (c *Client) Refresh(ctx context.Context, old *oauth2.Token) (*oauth2.Token, error) {
	const op = "refresh token"
	if old == nil || old.RefreshToken == "" {
		return c.SignIn(ctx)
	}
	bearer, err := c.bearer(ctx, op, nil)
	if err != nil {
		return nil, err
	}
	call, err := c.post(ctx, op, "refresh", bearer, httpx.Request{Body: refreshRequest{old.RefreshToken}}, old.RefreshToken)
	if err != nil {
		return nil, err
	}
	if call.OK() {
		return c.tokens(call, old.RefreshToken)
	}
	refusal := call.Refused(refreshVerdict)
	if refusal.GrantRefused() {
		token, err := c.signIn(ctx, old.RefreshToken)
		return token, answered(err, call)
	}
	return nil, refusal
}
