package b2core

import (
	"context"
	"net/http"
	"slices"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/internal/httpx"
)

// refused are the statuses of …/refresh that may be about the refresh token. The page shows none: a field that fails validation
// (400, 422), a credential that is not accepted (401, 403), a thing that is not there (404). If it is about the bearer or the
// platformId instead, or a gateway's, signing in again meets the same refusal, and tells.
var refused = []int{
	http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusUnprocessableEntity,
}

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
	switch {
	case call.OK():
		return c.tokens(call, old.RefreshToken)
	case slices.Contains(refused, call.Last.StatusCode):
		token, err := c.signIn(ctx, old.RefreshToken)
		return token, answered(err, call)
	}
	return nil, call.Refused(httpx.Verdict{})
}
