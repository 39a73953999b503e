package b2binpay

import (
	"context"
	"errors"
	"net/http"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/internal/httpx"
	"b2trader.identity.auth/identity/tokenapi"
)

type refreshAttributes struct {
	Refresh string `json:"refresh"`
}

// refreshRefusals maps refusals of /token/refresh/. The vendor names 2007, with
// the text of 2006. The request carries only the refresh token, so a 400 or 401
// refuses that token, whatever the code.
var refreshRefusals = httpx.Verdict{
	Codes: map[string]error{
		"2006":      tokenapi.ErrGrantRefused,
		"2007":      tokenapi.ErrGrantRefused,
		"throttled": tokenapi.ErrUnavailable,
	},
	Status: map[int]error{
		http.StatusBadRequest:   tokenapi.ErrGrantRefused,
		http.StatusUnauthorized: tokenapi.ErrGrantRefused,
		http.StatusForbidden:    tokenapi.ErrMisconfigured,
	},
}

// Refresh exchanges the refresh token of old, which works once, for new tokens.
// If the answer lacks the refresh token or is_2fa_confirmed, the successor keeps
// that of old. The vendor does not sign this answer.
//
// The request is never repeated. After an error with Sent set, the server may
// have spent the refresh token.
//
// Errors: ErrGrantRefused, without a request if old is nil or has no refresh
// token; ErrMisconfigured; ErrUnavailable; ErrUnusableAnswer.
func (c *Client) Refresh(ctx context.Context, old *oauth2.Token) (*oauth2.Token, error) {
	call, err := c.peer.Refreshing(old)
	if err != nil {
		return nil, err
	}
	if err := call.Send(ctx, authToken(c.peer.URL(c.config.RefreshPath), refreshAttributes{old.RefreshToken})); err != nil {
		return nil, err
	}
	if !call.OK() {
		return nil, c.report(ctx, old, call.Refused(refreshRefusals))
	}
	a, err := readAnswer(call)
	if err != nil {
		return nil, err
	}
	return call.Token(inherit(c.tokens(call, a), old))
}

// report passes the refusal of a refresh token that has not expired to
// OnSuspicious, and returns it.
func (c *Client) report(ctx context.Context, old *oauth2.Token, refusal *tokenapi.Error) error {
	expiry, known := old.Extra(tokenapi.RefreshExpiry).(time.Time)
	expired := known && !c.peer.HTTP.Now().Before(expiry)
	if c.config.OnSuspicious != nil && !expired && errors.Is(refusal, tokenapi.ErrGrantRefused) {
		c.config.OnSuspicious(ctx, refusal)
	}
	return refusal
}

// inherit fills members that the answer lacks from old.
func inherit(t httpx.Tokens, old *oauth2.Token) httpx.Tokens {
	names := []string{confirmed}
	if t.Refresh == "" {
		t.Refresh, t.RefreshLifetime = old.RefreshToken, 0
		names = append(names, tokenapi.RefreshExpiry)
	}
	for _, name := range names {
		if v := old.Extra(name); t.Extra[name] == nil && v != nil {
			t.Extra[name] = v
		}
	}
	return t
}
