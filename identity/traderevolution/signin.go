package traderevolution

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/internal/httpx"
	"b2trader.identity.auth/identity/tokenapi"
)

type signInRequest struct {
	Login    string `json:"login"`
	Password string `json:"password"`
}

// tokensAnswer is a pair of tokens, by the names that a working client reads; the vendor's page shows none.
type tokensAnswer struct {
	AccessToken          string        `json:"accessToken"`
	RefreshToken         string        `json:"refreshToken"`
	AccessTokenLifeTime  httpx.Seconds `json:"accessTokenLifeTime"`
	RefreshTokenLifeTime httpx.Seconds `json:"refreshTokenLifeTime"`
}

// signInVerdict: what is wrong with the request as such (400, 406) no other password cures.
var signInVerdict = httpx.Verdict{
	Codes: map[string]error{
		codeBadCredentials: tokenapi.ErrBadCredentials,
		codeNoAccess:       tokenapi.ErrMisconfigured,
		codeTooMany:        tokenapi.ErrUnavailable,
	},
	Status: map[int]error{
		400: tokenapi.ErrMisconfigured,
		401: tokenapi.ErrBadCredentials,
		403: tokenapi.ErrBadCredentials,
		406: tokenapi.ErrMisconfigured,
	},
	Parse: parseProblem,
}

// SignIn posts login and password to /auth/token (vendor's page, "Access token") and returns a pair of tokens. The Expiry is
// reckoned from the moment the request was sent; the extra refresh_expiry, a time.Time, says when the refresh token ends.
//
// Errors: ErrBadCredentials, without a request if login or password is empty; ErrMisconfigured, also if the user has no access to
// the REST API; ErrUnavailable; ErrUnusableAnswer.
func (c *Client) SignIn(ctx context.Context, login, password string) (*oauth2.Token, error) {
	call := c.peer.Call("sign in", password)
	if login == "" || password == "" {
		return nil, call.Fail(tokenapi.ErrBadCredentials, "the login or the password is empty")
	}
	err := call.Send(ctx, httpx.Request{
		Method: http.MethodPost, URL: c.peer.URL(c.config.TokenPath), Body: signInRequest{login, password},
	})
	if err != nil {
		return nil, err
	}
	return c.tokens(call, signInVerdict)
}

// tokens reads the answer that should be a pair of tokens.
func (c *Client) tokens(call *httpx.Call, v httpx.Verdict) (*oauth2.Token, error) {
	if !call.OK() {
		return nil, refused(call, v)
	}
	var answer tokensAnswer
	if err := call.Decode(&answer, "a pair of tokens"); err != nil {
		return nil, err
	}
	if answer.AccessToken == "" && errorCode(call.Last.Body) != "" { // a refusal, whatever its status
		return nil, refused(call, v)
	}
	return c.token(call, answer)
}

// token makes a token of a pair. A life that is not told, or is 0, is the Config's.
func (c *Client) token(call *httpx.Call, pair tokensAnswer) (*oauth2.Token, error) {
	t := httpx.Tokens{
		Access:   pair.AccessToken,
		Refresh:  pair.RefreshToken,
		Lifetime: cmp.Or(time.Duration(pair.AccessTokenLifeTime), c.config.DefaultLifetime),
	}
	if t.Refresh != "" {
		t.RefreshLifetime = cmp.Or(time.Duration(pair.RefreshTokenLifeTime), c.config.DefaultRefreshLifetime)
	}
	return call.Token(t)
}
