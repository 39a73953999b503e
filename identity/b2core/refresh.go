package b2core

import (
	"context"
	"net/http"
	"slices"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/internal/httpx"
)

// refused lists the statuses of …/refresh that may be about the refresh token,
// since the page shows none: a field fails validation (400, 422), a credential
// is not accepted (401, 403), a thing does not exist (404). If the bearer, the
// platformId or a gateway is the cause, the sign-in that follows gets the same
// refusal and reports it.
var refused = []int{
	http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusUnprocessableEntity,
}

type refreshRequest struct {
	RefreshToken string `json:"refreshToken"`
}

// Refresh gets the successor of old by its refresh token: POST …/refresh. It
// signs in by the bearer instead if old is nil or has no refresh token, or if
// B2Core refuses that. If the answer has no refresh token, the successor keeps
// that of old. Refresh makes the Client a vault.Refresher.
//
// After an error with Sent set, B2Core may have spent the refresh token.
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
	call, err := c.post(ctx, c.peer.Patient(), op, "refresh", bearer, httpx.Request{Body: refreshRequest{old.RefreshToken}}, old.RefreshToken)
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
