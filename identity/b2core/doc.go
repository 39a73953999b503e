// Package b2core gets tokens of B2Trader from B2Core. For a user who is signed
// in to B2Core, it obtains an access token and a refresh token of a trading
// platform behind B2Core, and renews them.
//
// # Use
//
// Each request shows B2Core's own access token, the bearer. Config.Bearer
// returns it; how the B2Core session began is outside this package. A [Client]
// serves one platform and every session that Config.Bearer can tell apart, such
// as by vault.EntryKey of its context. Access tokens live 60 seconds in the
// page's sample, so let package vault renew them: a Client is a vault.Refresher.
//
// If the vault keeps the B2Core session too, and Config.Bearer is its Source, one
// http.Client calls B2Trader's API for as long as that session lives: see the
// example "Chain". The vault renews each of the two tokens when it is due, and
// when it is refused before its time. After the session has ended, whose error
// has the outcome [tokenapi.Refused], the entry of B2Trader ends at its next
// renewal, with [tokenapi.ErrNotSignedIn].
//
// # The host of an answer
//
// Each answer names a host, "the URL to which the request … was sent"; the
// sample has http://example.com. This package sends no token there, but callers
// may. So the host must have the origin of Config.URL or of an entry of
// Config.Hosts, or the answer is unusable. The token carries the host as its
// extra "host", which package vault does not keep.
//
// # Sources
//
// The page "Trading platforms" of B2Core's REST API reference shows both
// requests and both answers, and no error. The overview of the same reference
// lists the statuses of errors in general. The shape
// {"error":{"message":…,"details":[{"issue":…}]}} is that of B2Core's
// TypeScript client.
//
// # Unknown
//
//   - How the two endpoints refuse. See Errors for how this package reads it.
//   - How long a refresh token lives. "The maximum time the tokens are valid"
//     is the ttl, 60 in the sample, but the claims of the sample's tokens say 10
//     hours. This package takes the ttl for the access token's life, ignores the
//     claims, and uses a refresh token until it is refused.
//   - Whether a refresh token works twice. Each renewal sends it once.
//   - What a Geo-Country-Code may be. The sample is a dial code, not ISO 3166.
//   - Whether the ttl is always a string. A number works too.
//
// # Deviations
//
// The requests differ from the page's in these points only:
//
//	D1 refresh: Content-Type is application/json. The page's command sends that of a form,
//	   which is curl's default.
//	D2 refresh: the JSON has no white space.
//	D3 both: Accept is application/json.
//	D4 both: Accept-Encoding and User-Agent are net/http's. Content-Length is 0 without a body.
//	D5 auth: the country's headers are sent only if they are configured.
//
// # Errors
//
// Every error is a *[tokenapi.Error]. B2Core's refusals mean, by status:
//
//	auth     400, 422             ErrMisconfigured: the platformId or the country's headers
//	         401                  ErrNotSignedIn, after Bearer was asked for another token
//	         403                  ErrNotSignedIn if the body is JSON, else ErrMisconfigured
//	         404, 405             ErrMisconfigured: the URL or the platformId
//	refresh  400, 401, 403, 404,  none yet: it may be about the refresh token, so the client
//	         422                  signs in again
//	both     an unexpected host   ErrUnusableAnswer, which names the host for Config.Hosts
//	         408, 429, 5xx        ErrUnavailable
//	         others               ErrUnusableAnswer
//
// A 403 without JSON, and an HTML page with 401, come from a gateway; the latter
// is ErrUnavailable. If the second
// sign-in fails too, its error is returned: it tells a refused refresh token
// from a bad bearer or platformId. An error of Bearer is ErrNotSignedIn if its
// outcome is Refused, else ErrUnavailable with ErrNoBearer. A bearer that cannot
// stand in a header is ErrMisconfigured.
package b2core
