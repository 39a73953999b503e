package b2core

import (
	"context"
	"net/http"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/internal/httpx"
	"b2trader.identity.auth/identity/tokenapi"
)

// authVerdict maps refusals of …/auth. The page shows none; the overview of the
// reference explains 400 and 401.
var authVerdict = httpx.Verdict{Status: map[int]error{
	http.StatusBadRequest:          tokenapi.ErrMisconfigured, // the platformId or the country: nothing else is sent
	http.StatusUnprocessableEntity: tokenapi.ErrMisconfigured,
	http.StatusUnauthorized:        tokenapi.ErrNotSignedIn,
	http.StatusForbidden:           tokenapi.ErrNotSignedIn,
}}

// gatewayVerdict maps a 403 without JSON: a gateway in front of B2Core refuses
// us, which must not end a session.
var gatewayVerdict = httpx.Verdict{Status: map[int]error{http.StatusForbidden: tokenapi.ErrMisconfigured}}

// SignIn gets an access token and a refresh token for the bearer: POST …/auth.
// After a 401, which changed nothing at B2Core, SignIn asks Config.Bearer for
// another token and repeats the request once.
//
// Errors: ErrNotSignedIn if B2Core refuses the bearer, or if the error of
// Config.Bearer says that its session has ended; ErrMisconfigured;
// ErrUnavailable; ErrUnusableAnswer.
func (c *Client) SignIn(ctx context.Context) (*oauth2.Token, error) { return c.signIn(ctx) }

// signIn is SignIn after a request that sent secrets, which errors must hide.
func (c *Client) signIn(ctx context.Context, secrets ...string) (*oauth2.Token, error) {
	const op = "sign in"
	bearer, err := c.bearer(ctx, op, nil)
	if err != nil {
		return nil, err
	}
	call, err := c.auth(ctx, op, bearer, secrets...)
	if err != nil {
		return nil, err
	}
	if call.Last.StatusCode == http.StatusUnauthorized {
		another, err := c.bearer(ctx, op, bearer)
		if err != nil {
			return nil, answered(err, call)
		}
		if another.AccessToken != bearer.AccessToken {
			if call, err = c.auth(ctx, op, another, append(secrets, bearer.AccessToken)...); err != nil {
				return nil, err
			}
		}
	}
	if !call.OK() {
		return nil, call.Refused(authOf(call))
	}
	return c.tokens(call, "")
}

// auth sends the request of …/auth.
func (c *Client) auth(ctx context.Context, op string, bearer *oauth2.Token, secrets ...string) (*httpx.Call, error) {
	return c.post(ctx, c.peer, op, "auth", bearer, httpx.Request{Header: c.config.country()}, secrets...)
}

// authOf returns the verdict for the last answer of …/auth.
func authOf(call *httpx.Call) httpx.Verdict {
	if call.Last.StatusCode == http.StatusForbidden && !httpx.IsJSON(call.Last.Body) {
		return gatewayVerdict
	}
	return authVerdict
}

// FirstToken returns an expired token to put into a vault at the start: its
// renewal signs in.
func (*Client) FirstToken() *oauth2.Token { return tokenapi.FirstToken() }
