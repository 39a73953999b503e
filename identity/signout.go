package identity

import (
	"context"
	"net/http"

	"b2trader.identity.auth/identity/internal/httpx"
)

// A SignOutOption adds to a sign-out. Only this package implements it.
type SignOutOption interface{ apply(*Client, *signOut) }

type signOut struct{ jar http.CookieJar }

type withState struct{ state State }

func (o withState) apply(c *Client, s *signOut) { s.jar = c.restore(o.state).jar }

// WithState sends the cookies of the IdentityServer's session, as a browser
// does, so that this session ends too. Without it, an exported State can sign
// in again until the session expires.
func WithState(state State) SignOutOption { return withState{state} }

type signOutRequest struct {
	RefreshToken string `json:"refresh_token,omitempty"`
}

// SignOut posts to /identity/sign-out. The IdentityServer revokes the refresh
// token, or with "" every refresh token of this user and client (npm README,
// signOut). The access token must be valid, and stays valid until it expires.
//
// Errors: ErrNotSignedIn if the server does not accept the access token,
// ErrUnavailable, ErrUnusableAnswer.
func (c *Client) SignOut(ctx context.Context, accessToken, refreshToken string, options ...SignOutOption) error {
	var s signOut
	for _, o := range options {
		o.apply(c, &s)
	}
	x := c.exchange("sign out", accessToken, refreshToken)
	if accessToken == "" || !httpx.HeaderSafe(accessToken) {
		return fail(x.Op, ErrNotSignedIn, "there is no usable access token")
	}
	header := http.Header{"Authorization": {"Bearer " + accessToken}}
	if err := x.post(ctx, c.endpoint("/identity/sign-out"), signOutRequest{refreshToken}, s.jar, header); err != nil {
		return err
	}
	problem := httpx.ParseProblem(x.Last.Body)
	switch status := x.Last.StatusCode; {
	case httpx.Later(status):
		return x.Refusal(ErrUnavailable, problem)
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return x.Refusal(ErrNotSignedIn, problem)
	case status/100 != 2:
		return x.Refusal(ErrUnusableAnswer, problem)
	}
	return nil
}
