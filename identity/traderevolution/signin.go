package traderevolution

import (
	"cmp"
	"context"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/internal/httpx"
	"b2trader.identity.auth/identity/tokenapi"
)

type signInRequest struct {
	Login    string `json:"login"`
	Password string `json:"password"`
}

// tokensAnswer has the names that a working client reads; the vendor's page
// shows none.
type tokensAnswer struct {
	AccessToken          httpx.Text    `json:"accessToken"`
	RefreshToken         httpx.Text    `json:"refreshToken"`
	AccessTokenLifeTime  httpx.Seconds `json:"accessTokenLifeTime"`
	RefreshTokenLifeTime httpx.Seconds `json:"refreshTokenLifeTime"`
}

// unknownLifetimes is what answers are decoded into.
var unknownLifetimes = tokensAnswer{AccessTokenLifeTime: httpx.UnknownLifetime, RefreshTokenLifeTime: httpx.UnknownLifetime}

// signInVerdict maps refusals of a sign-in. Another password does not help
// against a 400 or 406, which are about the request.
var signInVerdict = verdict(tokenapi.ErrBadCredentials, map[int]error{
	400: tokenapi.ErrMisconfigured,
	401: tokenapi.ErrBadCredentials,
	403: tokenapi.ErrBadCredentials,
	406: tokenapi.ErrMisconfigured,
})

// SignIn posts login and password to /auth/token (vendor's page, "Access
// token") and returns an access token and a refresh token. Expiry counts from
// the moment of sending. The extra refresh_expiry, a time.Time, tells when the
// refresh token expires.
//
// Errors: ErrBadCredentials, without a request if login or password is empty;
// ErrMisconfigured, also if the user has no access to the REST API;
// ErrUnavailable; ErrUnusableAnswer.
func (c *Client) SignIn(ctx context.Context, login, password string) (*oauth2.Token, error) {
	call := c.peer.Call("sign in", password)
	if login == "" || password == "" {
		return nil, call.Fail(tokenapi.ErrBadCredentials, "the login or the password is empty")
	}
	if err := call.Send(ctx, httpx.Request{URL: c.peer.URL(c.config.TokenPath), Body: signInRequest{login, password}}); err != nil {
		return nil, err
	}
	return c.tokens(call, signInVerdict)
}

// tokens reads the last answer.
func (c *Client) tokens(call *httpx.Call, v httpx.Verdict) (*oauth2.Token, error) {
	if !call.OK() {
		return nil, refused(call, v)
	}
	answer := unknownLifetimes
	if err := call.Decode(&answer, "a pair of tokens"); err != nil {
		return nil, err
	}
	if answer.AccessToken == "" && errorCode(call.Last.Body) != "" { // a refusal with a 2xx
		return nil, refused(call, v)
	}
	return c.token(call, answer)
}

// token makes a token. The Config replaces a life that is missing, and that of a
// refresh token also if it is 0.
func (c *Client) token(call *httpx.Call, pair tokensAnswer) (*oauth2.Token, error) {
	t := httpx.Tokens{
		Access:   string(pair.AccessToken),
		Refresh:  string(pair.RefreshToken),
		Lifetime: pair.AccessTokenLifeTime.Or(c.config.DefaultLifetime),
	}
	if t.Refresh != "" {
		t.RefreshLifetime = cmp.Or(pair.RefreshTokenLifeTime.Or(0), c.config.DefaultRefreshLifetime)
	}
	return call.Token(t)
}
