package identity

import (
	"errors"

	"b2trader.identity.auth/identity/tokenapi"
)

// Callers branch on these errors with errors.Is. Every error of a call of this
// package is an *Error that wraps one of them. Those of package tokenapi are
// documented there.
var (
	ErrBadCredentials = tokenapi.ErrBadCredentials // wrong email or password
	ErrNotSignedIn    = tokenapi.ErrNotSignedIn    // no session, or not for this client
	ErrGrantRefused   = tokenapi.ErrGrantRefused   // sign in again
	ErrMisconfigured  = tokenapi.ErrMisconfigured  // correct the Config
	ErrUnavailable    = tokenapi.ErrUnavailable    // try later; the session is not lost
	// ErrUnusableAnswer also means that an ID token or logout token is invalid.
	ErrUnusableAnswer = tokenapi.ErrUnusableAnswer

	// ErrSecondFactorRequired means that [SignIn.VerifySecondFactor] must come
	// first.
	ErrSecondFactorRequired = errors.New("a second factor is required: call VerifySecondFactor first")
	// ErrSecondFactorRefused means that the one-time code is wrong or expired.
	ErrSecondFactorRefused = errors.New("the second factor was not accepted")
	// ErrNoRefreshToken means that [Client.SignOut] got no refresh token to
	// revoke. It made no request.
	ErrNoRefreshToken = errors.New("there is no refresh token: call SignOutEverywhere to sign out on all of the user's devices")
)

// Error is the error of one call, without any secret.
type Error = tokenapi.Error

// Exchange describes one HTTP exchange to HTTP.Observe, without secrets.
type Exchange = tokenapi.Exchange

// A Secret is a string that no formatting verb, logger or encoder shows.
type Secret = tokenapi.Secret

// NewSecret hides s. An empty s gives the zero Secret.
func NewSecret(s string) Secret { return tokenapi.NewSecret(s) }
