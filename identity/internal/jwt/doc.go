// Package jwt checks signed JSON Web Tokens before and behind the libraries:
// [Parse] refuses what go-jose and go-oidc let through, and a [KeySet] verifies
// signatures with the keys that a server publishes.
//
// Errors of this package hold no part of a token but the names of algorithms
// and types.
package jwt
