package b2binpay

import (
	"context"
	"net/http"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/internal/httpx"
	"b2trader.identity.auth/identity/tokenapi"
)

// mediaType is the media type of JSON:API.
const mediaType = "application/vnd.api+json"

// A document is the body of a request (the article, steps 1 and 3).
type document struct {
	Data data `json:"data"`
}

type data struct {
	Type       string `json:"type"`
	Attributes any    `json:"attributes"`
}

// authToken is the request of tokens at a URL.
func authToken(url string, attributes any) httpx.Request {
	return httpx.Request{URL: url, Body: document{data{"auth-token", attributes}}, MediaType: mediaType}
}

type signInAttributes struct {
	Login    string `json:"login"`
	Password string `json:"password"`
}

// signInRefusals maps refusals of /token/. The vendor names 2006 and throttled.
// The only documented 400 is about the credentials, so every 400 and 401 counts
// as that: an account whose sign-ins are refused must stop trying.
var signInRefusals = httpx.Verdict{
	Codes: map[string]error{
		"2006":      tokenapi.ErrBadCredentials,
		"throttled": tokenapi.ErrUnavailable,
	},
	Status: map[int]error{
		http.StatusBadRequest:   tokenapi.ErrBadCredentials,
		http.StatusUnauthorized: tokenapi.ErrBadCredentials,
		http.StatusForbidden:    tokenapi.ErrMisconfigured,
	},
}

// SignIn obtains tokens for an API account, whose login and password the article
// also calls KEY and SECRET. It verifies meta.sign, which covers the refresh
// token and the time, not the access token: it detects an answer for another
// account, and does not replace TLS.
//
// Expiry is access_expired_at less meta.time, both by the server's clock, counted
// from the moment of sending by ours. The extras are refresh_expiry (a
// time.Time) and is_2fa_confirmed (a bool), if the answer has them. The API has
// no second step.
//
// Errors: ErrBadCredentials, without a request if login or password is empty;
// ErrMisconfigured, also if the server speaks version 3; ErrUnavailable;
// ErrUnusableAnswer, also for a signature that is missing or wrong.
func (c *Client) SignIn(ctx context.Context, login, password string) (*oauth2.Token, error) {
	call := c.peer.Call("sign in", password)
	if login == "" || password == "" {
		return nil, call.Fail(tokenapi.ErrBadCredentials, "the login or the password is empty")
	}
	if err := call.Send(ctx, authToken(c.peer.URL(c.config.TokenPath), signInAttributes{login, password})); err != nil {
		return nil, err
	}
	if !call.OK() {
		return nil, refused(call, version2)
	}
	a, err := readAnswer(call)
	if err != nil {
		return nil, err
	}
	if attributes := a.Data.Attributes; attributes.Refresh == "" && attributes.ExpiresIn != httpx.UnknownLifetime {
		return nil, misdirected(call, version2)
	}
	if err := c.checkSign(call, a, login, password); err != nil {
		return nil, err
	}
	return call.Token(c.tokens(call, a))
}

// checkSign verifies meta.sign, whose message is meta.time and the refresh token
// as the answer spells them (docs.b2binpay.com, v2, authentication).
func (c *Client) checkSign(call *httpx.Call, a answer, login, password string) error {
	signedAt, _ := a.Meta.Value.Time.(string)
	switch sign, isText := a.Meta.Value.Sign.(string); {
	case a.Meta.Value.Sign == nil, isText && sign == "":
		if !c.config.AllowUnsigned {
			return call.Unusable("the answer has no signature (meta.sign)")
		}
	case !signs(sign, accountKey(login, password), signedAt+string(a.Data.Attributes.Refresh)):
		return call.Unusable("the answer's signature (meta.sign) is not this account's")
	}
	return nil
}
