// Package oauth2refresher renews the tokens of any OAuth 2.0 provider: it makes
// an *oauth2.Config a Refresher of package vault.
//
// # Use
//
// A TokenSource of x/oauth2 keeps a rotated refresh token in memory only: after
// a restart, or in a second process, the program has one that was used before,
// and the provider refuses it. So sign in with x/oauth2 as before, put the token
// into a vault, and let the vault renew it by a [Refresher]. The vault stores
// each refresh token before the program uses its access token, and processes that
// share the store send each refresh token once. See the example.
//
// # What differs from x/oauth2
//
//   - A request is sent once. x/oauth2 tries both ways to authenticate if
//     Endpoint.AuthStyle is AuthStyleAutoDetect, and so sends a refresh token
//     twice; here this style means HTTP Basic (AuthStyleInHeader), which every
//     server must support for a client with a password (RFC 6749 section 2.3.1).
//     A client without a secret sends its client_id in the body.
//   - Requests go by Config.HTTP, not by the oauth2.HTTPClient of a context. They
//     are bounded in time and bytes and follow no redirect.
//   - Accept is application/json: GitHub answers with a form otherwise.
//   - A successor has the extras id_token and scope, which package vault keeps.
//     If an answer leaves the refresh token, the ID token or the scope out, the
//     old one stays. Nothing verifies the ID token but TLS (OIDC Core section
//     3.1.3.7, point 6).
//
// # Errors
//
// Every error is a *[tokenapi.Error], whose outcome tells the vault what the
// failure means for the entry:
//
//	invalid_grant, Config.RefusedCodes         ErrGrantRefused    the entry ends
//	invalid_client, unauthorized_client,       ErrMisconfigured   kept; an error in the log
//	invalid_request, invalid_scope,
//	unsupported_grant_type, 401, 404, 405
//	temporarily_unavailable, server_error,     ErrUnavailable     kept; Retry-After is obeyed
//	408, 429, 5xx
//	the connection fails: DNS, TCP, TLS        ErrUnavailable     kept; sent again at once
//	no answer after the request was sent       ErrUnavailable     kept; sent once more
//	a page of a gateway                        ErrUnavailable     kept
//	any other answer                           ErrUnusableAnswer  kept
//
// A code counts more than the status, also in an answer with 200.
package oauth2refresher
