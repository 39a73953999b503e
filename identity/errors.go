package identity

import "errors"

// Callers branch on these errors with errors.Is, and on those of package
// tokenapi. Every error of a call of this package is a *tokenapi.Error that wraps
// one of them. Of package tokenapi's, ErrUnusableAnswer also means that an ID
// token or logout token is invalid.
var (
	// ErrSecondFactorRequired means that [SignIn.VerifySecondFactor] must come
	// first.
	ErrSecondFactorRequired = errors.New("a second factor is required: call VerifySecondFactor first")
	// ErrSecondFactorRefused means that the one-time code is wrong or expired.
	ErrSecondFactorRefused = errors.New("the second factor was not accepted")
	// ErrNoRefreshToken means that [Client.SignOut] got no refresh token to
	// revoke. It made no request.
	ErrNoRefreshToken = errors.New("there is no refresh token: call SignOutEverywhere to sign out on all of the user's devices")
)
