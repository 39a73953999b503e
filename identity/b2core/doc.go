// Package b2core signs users in to B2Core and gets tokens of B2Trader from it.
//
// # Use
//
// There are two clients, one for each kind of token:
//
//   - A [SessionClient] signs a user in to B2Core itself, with e-mail address,
//     password and second factor, and renews the token of that session.
//   - A [Client] shows that token as its bearer, obtains an access token and a
//     refresh token of a trading platform behind B2Core, and renews them.
//
// The example "SessionClient" joins both for an account that needs no person: one
// http.Client from an e-mail address and a password to B2Trader's API. A program
// that has a B2Core session from elsewhere, such as from a browser, needs a Client
// only: Config.Bearer returns the session's token.
//
// A Client serves one platform and every session that Config.Bearer can tell
// apart, such as by vault.EntryKey of its context. Access tokens live 60 seconds
// in the page's sample, so let package vault renew them: both clients are a
// vault.Refresher.
//
// # The sign-in to B2Core
//
// The wizard gives each sign-in a uuid and says whether reCAPTCHA is on. If it
// is, no program can sign in: the error is [ErrRecaptcha]. An account with a
// second factor gets a [SecondFactorError], whose SignIn goes on with the
// one-time code. B2Core permits 5 sign-ins a minute by default and then blocks
// for 10 minutes; a [SessionClient.Keeper] stays below that.
//
// The sign-in is experimental: the vendor's pages show its steps, but neither
// its refusals nor all bodies. The fields of [SessionConfig] say which of their
// defaults are inferred.
//
// # One http.Client for the whole chain
//
// If the vault keeps the B2Core session too, and Config.Bearer is its Source, one
// http.Client calls B2Trader's API for as long as that session lives: see the
// example "Chain". When the session ends, its error has the outcome
// [tokenapi.Refused]. The entry of B2Trader then ends at its next renewal, with
// [tokenapi.ErrNotSignedIn].
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
// requests and both answers, and no error. The page "Authentication" shows the
// wizard and the sign-in, and the page "Platforms" the list without its fields.
// The overview of the same reference lists the statuses of errors in general.
// The shape {"error":{"message":…,"details":[{"issue":…}]}} is that of a public
// TypeScript client of B2Core. That client and one in Python show the bodies of
// a refresh and of the answers with a session's tokens.
//
// # Unknown
//
//   - How the two endpoints refuse. See Errors for how this package reads it.
//   - How long a refresh token lives. "The maximum time the tokens are valid"
//     is the ttl, 60 in the sample, but the claims of the sample's tokens say 10
//     hours. This package takes the ttl for the access token's life, ignores the
//     claims, and uses a refresh token until it is refused.
//   - Whether a refresh token works twice. Each renewal sends it once.
//   - How B2Core refuses a password, a code or a session's refresh token.
//     Statuses 400, 401, 403 and 422 count as a refusal.
//   - How an answer names the second factors, and what chooses one of several.
//   - Whether a session's refresh token works once. If an answer has no other
//     one, the client keeps the old one.
//   - Whether a refresh needs the cookies of the sign-in. One public client sends
//     them and another does not. This package does not.
//   - What a sign-out does to the tokens of B2Trader.
//   - What a Geo-Country-Code may be. The sample is a dial code, not ISO 3166.
//   - Whether the ttl is always a string. A number works too.
//
// # Deviations
//
// The requests to the two endpoints of a platform differ from the page's in these
// points only:
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
// Every error of a call is a *[tokenapi.Error], or a [SecondFactorError] that
// wraps one. A platform's refusals mean, by status:
//
//	auth     400, 422             ErrMisconfigured: the platformId or the country's headers
//	         401                  ErrNotSignedIn, after Bearer was asked for another token
//	         403                  ErrNotSignedIn if the body is JSON, ErrMisconfigured if empty
//	         404, 405             ErrMisconfigured: the URL or the platformId
//	refresh  400, 401, 403, 404,  none yet: it may be about the refresh token, so the client
//	         422                  signs in again
//	both     an unexpected host   ErrUnusableAnswer, which names the host for Config.Hosts
//	         408, 429, 5xx        ErrUnavailable
//	         others               ErrUnusableAnswer
//
// A body that is not JSON comes from a gateway: ErrUnavailable, except with 404
// and 405. If the second sign-in fails too, its error is returned: it tells a
// refused refresh token from a bad bearer or platformId. An error of Bearer is
// ErrNotSignedIn if its outcome is Refused, else ErrUnavailable with
// ErrNoBearer. A bearer that cannot stand in a header is ErrMisconfigured.
//
// Those of B2Core's own sign-in mean:
//
//	sign in         400, 401, 403, 422   ErrBadCredentials; ErrRecaptcha if it names a captcha
//	second factor   400, 401, 403, 422   ErrSecondFactorRefused
//	refresh token   400, 401, 403, 422   ErrGrantRefused
//	sign out, list  401, 403             ErrNotSignedIn
//	all             404, 405             ErrMisconfigured: the URL or a path
//	                408, 429, 5xx        ErrUnavailable
//	                others               ErrUnusableAnswer
package b2core
