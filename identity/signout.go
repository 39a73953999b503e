package identity

import (
	"context"
	"errors"
	"net/http"

	"b2trader.identity.auth/identity/internal/httpx"
	"b2trader.identity.auth/identity/tokenapi"
)

// ErrNoRefreshToken means that [Client.SignOut] got no refresh token to revoke.
// It made no request. Every other error of a call of this package is a
// *tokenapi.Error that wraps an error of package tokenapi. Of these,
// ErrUnusableAnswer also means that an ID token or logout token is invalid.
var ErrNoRefreshToken = errors.New("there is no refresh token: call SignOutEverywhere to sign out on all of the user's devices")

// A SignOutOption adds to a sign-out. WithState makes it.
type SignOutOption struct{ state State }

// WithState sends the cookies of the IdentityServer's session, as a browser
// does, so that this session ends too. Without it, an exported State can sign
// in again until the session expires.
func WithState(state State) SignOutOption { return SignOutOption{state} }

type signOutRequest struct {
	RefreshToken string `json:"refresh_token,omitempty"`
}

// SignOut ends one sign-in: it posts to /identity/sign-out, and the
// IdentityServer revokes the refresh token. The access token must be valid, and
// stays valid until it expires.
//
// Errors: ErrNoRefreshToken without a refresh token, because the server would
// then revoke those of all of the user's devices; ErrNotSignedIn if the server
// does not accept the access token; ErrMisconfigured if there is no sign-out at
// Config.URL; ErrUnavailable; ErrUnusableAnswer.
func (c *Client) SignOut(ctx context.Context, accessToken, refreshToken string, options ...SignOutOption) error {
	if refreshToken == "" {
		return fail("sign out", ErrNoRefreshToken, "")
	}
	return c.signOut(ctx, accessToken, refreshToken, options)
}

// SignOutEverywhere ends the user's sign-ins on all devices: it posts to
// /identity/sign-out without a refresh token, and the IdentityServer revokes
// every refresh token of this user and client (npm README, signOut). The access
// token must be valid. The access tokens of all devices stay valid until they
// expire.
//
// Errors: those of [Client.SignOut] but ErrNoRefreshToken.
func (c *Client) SignOutEverywhere(ctx context.Context, accessToken string, options ...SignOutOption) error {
	return c.signOut(ctx, accessToken, "", options)
}

func (c *Client) signOut(ctx context.Context, accessToken, refreshToken string, options []SignOutOption) error {
	var jar http.CookieJar
	for _, o := range options {
		jar = c.restore(o.state).jar
	}
	x := c.exchange("sign out", accessToken, refreshToken)
	if accessToken == "" || !httpx.HeaderSafe(accessToken) {
		return fail(x.Op, tokenapi.ErrNotSignedIn, "there is no usable access token")
	}
	header := http.Header{"Authorization": {"Bearer " + accessToken}}
	return x.Ask(ctx, httpx.Request{
		URL: c.endpoint("/identity/sign-out"), Header: header, Body: signOutRequest{refreshToken}, Jar: jar,
	}, signOutVerdict)
}

var signOutVerdict = httpx.Verdict{Status: map[int]error{
	http.StatusUnauthorized: tokenapi.ErrNotSignedIn,
	http.StatusForbidden:    tokenapi.ErrNotSignedIn,
}}
