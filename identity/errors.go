package identity

import (
	"errors"

	"b2trader.identity.auth/identity/tokenapi"
)

// Callers branch on these errors with errors.Is. Every error of a call of this
// package is an *Error that wraps one of them.
var (
	// ErrBadCredentials means that the IdentityServer does not accept this
	// email and password.
	ErrBadCredentials = tokenapi.ErrBadCredentials
	// ErrSecondFactorRequired means that [SignIn.VerifySecondFactor] must come
	// first.
	ErrSecondFactorRequired = errors.New("a second factor is required: call VerifySecondFactor first")
	// ErrSecondFactorRefused means that the one-time code is wrong or has
	// expired.
	ErrSecondFactorRefused = errors.New("the second factor was not accepted")
	// ErrNotSignedIn means that the IdentityServer has no session, or does not
	// authorize this client in it. The server does not tell the two apart.
	ErrNotSignedIn = tokenapi.ErrNotSignedIn
	// ErrGrantRefused means that the code or refresh token is unknown, expired,
	// used, or another client's (RFC 6749 section 5.2, invalid_grant). Only a
	// new sign-in helps.
	ErrGrantRefused = tokenapi.ErrGrantRefused
	// ErrMisconfigured means that this client's id, secret, scopes or addresses
	// do not match the server's. A new sign-in does not help.
	ErrMisconfigured = tokenapi.ErrMisconfigured
	// ErrUnavailable means that there was no answer, or one that says to try
	// later (5xx, 429). The session is not lost. The Error's Sent says whether
	// the server may have carried out the request.
	ErrUnavailable = tokenapi.ErrUnavailable
	// ErrUnusableAnswer means that the answer breaks the standards or the
	// platform's documentation, such as an ID token with a wrong signature.
	ErrUnusableAnswer = tokenapi.ErrUnusableAnswer
)

// Error is the error of one call, with the server's code and text and without
// any secret.
type Error = tokenapi.Error

// Exchange describes one HTTP exchange to [Config.Observe], without secrets.
type Exchange = tokenapi.Exchange

// A Secret is a string that no formatting verb, logger or encoder shows.
type Secret = tokenapi.Secret

// NewSecret hides s. An empty s gives the zero Secret.
func NewSecret(s string) Secret { return tokenapi.NewSecret(s) }
