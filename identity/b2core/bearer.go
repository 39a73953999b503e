package b2core

import (
	"cmp"
	"context"
	"errors"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/internal/httpx"
	"b2trader.identity.auth/identity/tokenapi"
)

// StaticBearer returns a Source that always returns token. It suits a B2Core
// session that another program keeps alive, or a program that ends before the
// token does. When B2Core refuses the token, the session has ended for the
// client.
func StaticBearer(token string) tokenapi.Source {
	return func(context.Context, *oauth2.Token) (*oauth2.Token, error) {
		return &oauth2.Token{AccessToken: token, TokenType: "Bearer"}, nil
	}
}

// bearer asks Config.Bearer for the token to show. If refused is not nil, it
// asks for another one.
func (c *Client) bearer(ctx context.Context, op string, refused *oauth2.Token) (*oauth2.Token, error) {
	call := c.peer.Call(op)
	bearer, err := c.config.Bearer(ctx, refused)
	switch {
	case err != nil:
		return nil, noBearer(ctx, call, refused, err)
	case bearer == nil, bearer.AccessToken == "":
		return nil, call.Fail(tokenapi.ErrMisconfigured, "Config.Bearer returned no token")
	case !httpx.HeaderSafe(bearer.AccessToken):
		return nil, call.Fail(tokenapi.ErrMisconfigured, "Config.Bearer returned a token that cannot stand in a header")
	}
	return bearer, nil
}

// noBearer turns an error of Config.Bearer into the call's error. It wraps the
// error only if that ends the session; otherwise it quotes the text, because a
// refusal or a misconfiguration behind Bearer is not this client's.
func noBearer(ctx context.Context, call *httpx.Call, refused *oauth2.Token, err error) error {
	outcome := tokenapi.OutcomeOf(err)
	switch {
	case outcome.Kind == tokenapi.Refused:
		return call.Fail(httpx.Because(tokenapi.ErrNotSignedIn, err), "")
	case ctx.Err() != nil:
		return call.Fail(httpx.Because(tokenapi.ErrUnavailable, ctx.Err()), "")
	}
	e := call.Fail(httpx.Because(tokenapi.ErrUnavailable, tokenapi.ErrNoBearer), httpx.Redact(err.Error(), accessToken(refused)))
	e.RetryAfter = outcome.RetryAfter
	return e
}

// answered marks err as sent if nothing was sent after call, which brought an
// answer: an immediate retry would get the same answer.
func answered(err error, call *httpx.Call) error {
	e, ok := errors.AsType[*tokenapi.Error](err)
	if ok && e.Outcome().Kind == tokenapi.NotSent {
		e.Sent, e.StatusCode = true, call.Last.StatusCode
		e.Description = "the first request was refused, and then: " + cmp.Or(e.Description, "nothing could be sent")
	}
	return err
}

func accessToken(t *oauth2.Token) string {
	if t == nil {
		return ""
	}
	return t.AccessToken
}
