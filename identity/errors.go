package identity

import "errors"

// ErrNoRefreshToken means that [Client.SignOut] got no refresh token to revoke.
// It made no request. Every other error of a call of this package is a
// *tokenapi.Error that wraps an error of package tokenapi. Of these,
// ErrUnusableAnswer also means that an ID token or logout token is invalid.
var ErrNoRefreshToken = errors.New("there is no refresh token: call SignOutEverywhere to sign out on all of the user's devices")
