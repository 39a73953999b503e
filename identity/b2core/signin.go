package b2core

import (
	"context"
	"net/http"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/internal/httpx"
	"b2trader.identity.auth/identity/tokenapi"
)

// What refusals of …/auth mean. The page shows none; the overview of the reference says what 400 and 401 are for.
var authVerdict = httpx.Verdict{Status: map[int]error{
	http.StatusBadRequest:          tokenapi.ErrMisconfigured, // a platformId or a country that cannot be: nothing else is sent
	http.StatusUnprocessableEntity: tokenapi.ErrMisconfigured,
	http.StatusUnauthorized:        tokenapi.ErrNotSignedIn,
	http.StatusForbidden:           tokenapi.ErrNotSignedIn,
}}

// What a 403 means that is not JSON: a gateway in front of B2Core refuses us, which must not end a session.
var gatewayVerdict = httpx.Verdict{Status: map[int]error{http.StatusForbidden: tokenapi.ErrMisconfigured}}

// SignIn gets a pair of tokens for the bearer: POST …/auth. A bearer that is refused with 401 got nothing done, so
// Config.Bearer is asked for another, once, and the request repeated with that.
//
// Errors: ErrNotSignedIn if B2Core refuses the bearer, or Config.Bearer says that its session has ended; ErrMisconfigured;
// ErrUnavailable; ErrUnusableAnswer.
func (c *Client) SignIn(ctx context.Context) (*oauth2.Token, error) { return c.signIn(ctx) }

// signIn is SignIn. The secrets are others than the bearer, which B2Core has been told before.
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

// auth posts to …/auth.
func (c *Client) auth(ctx context.Context, op string, bearer *oauth2.Token, secrets ...string) (*httpx.Call, error) {
	return c.post(ctx, op, "auth", bearer, httpx.Request{Header: c.config.country()}, secrets...)
}

// authOf chooses the verdict on the last answer of …/auth.
func authOf(call *httpx.Call) httpx.Verdict {
	if call.Last.StatusCode == http.StatusForbidden && !httpx.IsJSON(call.Last.Header.Get("Content-Type")) {
		return gatewayVerdict
	}
	return authVerdict
}

// FirstToken returns what to put into a vault at the start, so that the renewal signs in.
func (*Client) FirstToken() *oauth2.Token { return tokenapi.FirstToken() }
