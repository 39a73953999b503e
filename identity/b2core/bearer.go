package b2core

import (
	"cmp"
	"context"
	"errors"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/internal/httpx"
	"b2trader.identity.auth/identity/tokenapi"
)

// StaticBearer returns a Source that has no other bearer than token, for a B2Core session that somebody else keeps alive, or that need
// not outlive the token. When B2Core refuses it, the session is over for the client.
func StaticBearer(token string) tokenapi.Source {
	return func(context.Context, *oauth2.Token) (*oauth2.Token, error) {
		return &oauth2.Token{AccessToken: token, TokenType: "Bearer"}, nil
	}
}

// bearer asks for the token to show, other than the one that was refused if that is not nil.
func (c *Client) bearer(ctx context.Context, op string, refused *oauth2.Token) (*oauth2.Token, error) {
	call := c.peer.Call(op)
	bearer, err := c.config.Bearer(ctx, refused)
	switch {
	case err != nil:
		return nil, noBearer(ctx, call, refused, err)
	case bearer == nil, bearer.AccessToken == "":
		return nil, call.Fail(tokenapi.ErrMisconfigured, "Config.Bearer gave no token")
	case !httpx.HeaderSafe(bearer.AccessToken):
		return nil, call.Fail(tokenapi.ErrMisconfigured, "Config.Bearer gave a token that cannot stand in a header")
	}
	return bearer, nil
}

// noBearer says what an error of the Source means for the call. Unless it ends the session, it is told but not wrapped: what is refused
// or misconfigured behind the Source is not this client.
func noBearer(ctx context.Context, call *httpx.Call, refused *oauth2.Token, err error) error {
	outcome := tokenapi.OutcomeOf(err)
	switch {
	case outcome.Kind == tokenapi.Refused:
		return call.Fail(httpx.Because(tokenapi.ErrNotSignedIn, err), "")
	case ctx.Err() != nil:
		return call.Fail(httpx.Because(tokenapi.ErrUnavailable, ctx.Err()), "")
	}
	e := call.Fail(httpx.Because(tokenapi.ErrUnavailable, tokenapi.ErrNoBearer), httpx.Clean(err.Error(), accessToken(refused)))
	e.RetryAfter = outcome.RetryAfter
	return e
}

// answered takes note in err that call has brought an answer before: who repeats the operation at once would have the same.
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
