package identity

import (
	"errors"

	"b2trader.identity.auth/identity/tokenapi"
)

// What callers branch on, with errors.Is. Every error of this package's calls is an *Error that wraps one of them.
var (
	// ErrBadCredentials: the IdentityServer does not accept this email and password.
	ErrBadCredentials = tokenapi.ErrBadCredentials
	// ErrSecondFactorRequired: a one-time code must be verified first, see [SignIn.VerifySecondFactor].
	ErrSecondFactorRequired = errors.New("a second factor is required")
	// ErrSecondFactorRefused: the one-time code is wrong or has expired.
	ErrSecondFactorRefused = errors.New("the second factor was not accepted")
	// ErrNotSignedIn: there is no session at the IdentityServer, or it refuses to authorize this client in it;
	// it does not tell the two apart.
	ErrNotSignedIn = tokenapi.ErrNotSignedIn
	// ErrGrantRefused: the code or refresh token is unknown, expired, used, or another client's
	// (RFC 6749 section 5.2, invalid_grant). Signing in again is the cure.
	ErrGrantRefused = tokenapi.ErrGrantRefused
	// ErrMisconfigured: this client's id, secret, scopes or addresses do not fit the server's. Signing in again cures nothing.
	ErrMisconfigured = tokenapi.ErrMisconfigured
	// ErrUnavailable: no answer, or one that says try later (5xx, 429). The session is not lost; the Error's Sent says
	// whether the request may have been carried out.
	ErrUnavailable = tokenapi.ErrUnavailable
	// ErrUnusableAnswer: an answer that is not what the standards or the platform promise, such as an ID token that
	// does not verify.
	ErrUnusableAnswer = tokenapi.ErrUnusableAnswer
)

// Error is what went wrong in one call, with the server's own code and words, and without any secret.
type Error = tokenapi.Error

// Exchange describes one HTTP exchange to [Config.Observe], without secrets.
type Exchange = tokenapi.Exchange

// A Secret is a string that no formatting verb, logger or encoder shows.
type Secret = tokenapi.Secret

// NewSecret hides s. An empty s gives the zero Secret.
func NewSecret(s string) Secret { return tokenapi.NewSecret(s) }
