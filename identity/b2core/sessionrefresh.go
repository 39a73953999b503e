package b2core

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/internal/httpx"
	"b2trader.identity.auth/identity/tokenapi"
)

// Refresh exchanges the refresh token of old for new tokens: POST …/refresh. If
// the answer has no refresh token, the successor keeps that of old. It sends no
// cookie of the sign-in. Refresh makes the SessionClient a vault.Refresher.
//
// After an error with Sent set, B2Core may have spent the refresh token.
//
// Errors: ErrGrantRefused, without a request if old is nil or has no usable
// refresh token; ErrMisconfigured; ErrUnavailable; ErrUnusableAnswer.
func (c *SessionClient) Refresh(ctx context.Context, old *oauth2.Token) (*oauth2.Token, error) {
	call, err := c.peer.Refreshing(old)
	if err != nil {
		return nil, err
	}
	r := httpx.Request{URL: c.peer.URL(c.config.RefreshPath), Body: c.config.RefreshBody(old.RefreshToken, c.config.DeviceFingerprint)}
	if err := call.Ask(ctx, r, verdict(tokenapi.ErrGrantRefused, refusals...)); err != nil {
		return nil, err
	}
	var a sessionAnswer
	if err := call.Decode(&a, "the JSON of a refresh"); err != nil {
		return nil, err
	}
	return c.token(call, a, old)
}

// The pace of a Keeper.
const (
	// signInInterval keeps a Keeper below B2Core's 5 sign-ins a minute.
	signInInterval = 15 * time.Second
	// longPause spaces the sign-ins of an account with a second factor, each of
	// which may send its user a message, and those that B2Core has blocked.
	longPause = 5 * time.Minute
)

// Keeper returns a vault.Refresher that keeps the account signed in to B2Core:
// it refreshes, and signs in again when the refresh token has expired or is
// refused. Login of the account is the e-mail address. A zero Pace.Interval is
// 15 seconds here, because B2Core permits 5 sign-ins a minute.
//
// The account must have no second factor. One that has is tried again after 5
// minutes, and its error is ErrMisconfigured with ErrSecondFactorRequired. So is
// a sign-in after a 429 without Retry-After, which blocks for 10 minutes by
// default.
//
// Errors: every problem of the account, each a *tokenapi.FieldError.
func (c *SessionClient) Keeper(account tokenapi.Account) (*tokenapi.Keeper, error) {
	account.Interval = cmp.Or(account.Interval, signInInterval)
	return tokenapi.NewKeeper(tokenapi.KeeperConfig{
		System: system, Account: account, SignIn: c.unattended, Refresh: c.Refresh, Now: c.peer.HTTP.Now,
	})
}

// unattended is Login for an account that no person signs in.
func (c *SessionClient) unattended(ctx context.Context, email, password string) (*oauth2.Token, error) {
	session, err := c.Login(ctx, email, password)
	if err == nil {
		return session.Token, nil
	}
	if e, ok := errors.AsType[*tokenapi.Error](err); ok {
		switch {
		case errors.Is(e, tokenapi.ErrSecondFactorRequired):
			e.Err = httpx.Because(tokenapi.ErrMisconfigured, tokenapi.ErrSecondFactorRequired)
			e.Advice = "use an account without a second factor, or let a person sign in by Login"
			e.Sent, e.RetryAfter = true, longPause
			return nil, e // without the sign-in, which nothing completes
		case e.StatusCode == http.StatusTooManyRequests:
			e.RetryAfter = cmp.Or(e.RetryAfter, longPause)
		}
	}
	return nil, err
}
