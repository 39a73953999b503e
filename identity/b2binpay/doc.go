// Package b2binpay obtains and refreshes the tokens of B2BINPAY's API, version 2
// and 3, and verifies the callbacks that B2BINPAY posts to a merchant.
//
// # Which version
//
// The keys decide. An account with a client_id and a client_secret has version 3
// and needs a [V3Client]. An account with a login and a password, which the
// vendor also calls KEY and SECRET, has version 2 and needs a [Client]. Version 3
// exists since 1 June 2025; the vendor announced the end of version 2 for 1
// December 2025. So a new program uses version 3.
//
// # Use of version 3
//
// A [V3Client] obtains an access token of an hour and, for the next one, sends
// client_id and client_secret again: there is no refresh token. A
// [V3Client.Keeper] does that in package vault or worker, at a bounded pace.
// Version 3 is experimental here: much of it has no public source. The fields of
// V3Config say which of their defaults are inferred.
//
// # Use of version 2
//
// A [Client] signs an API account in and renews its tokens. Access tokens live for
// minutes, and a refresh token works once. So renew in one place and store the
// successor before it is used: package vault does that, with a [Client] or, in a
// program that has the password, with a [Client.Keeper], which signs in again
// when the refresh token has expired, was lost or is refused. The vendor allows
// 30 to 40 requests for an access token; Config.MaxUses makes the vault renew
// before that. See the example "Vault".
//
// # Callbacks
//
// [Callbacks] verifies callbacks, one by one or as an http.Handler: of version 2,
// by the account's login and password, or of version 3, by the callback secret in
// CallbackConfig.V3. Those of version 3 are about deposits and payouts. The
// vendor publishes no formula of their signature; [V3Signature] has the inferred
// one, and a field for each of its parts.
//
// # Sources
//
//   - The article of the vendor's help desk on the API's tokens, which begins
//     "Accessing and integrating with the B2BINPAY API": both requests, the
//     sample of the answer, the lives, the number of requests.
//   - docs.b2binpay.com, "API overview" and "Authentication": version 3's request
//     and answer, its 400 and 429, that a token is renewed by the same request.
//   - docs.b2binpay.com, the pages of version 2 ("authentication", "deposit
//     methods"): meta.sign, the error codes, that a refresh token works once,
//     that the answer of a refresh has no meta.
//   - "Verifying B2BINPAY Callback Signatures" and "Understanding B2BINPAY API &
//     No Transfer Callback", of the help desk.
//
// This package does not speak version 1, with its GET /api/login.
//
// # How long tokens live
//
// In version 3 the answer says it in expires_in, 3599 seconds in the vendor's
// sample, counted from the moment of sending by our clock.
//
// In version 2 the article says three minutes, its sample 15, the version 2
// pages one. So this package takes access_expired_at and subtracts the server's
// own time: meta.time or, as in the answer of a refresh, the Date header and the
// second that it may lag; without either, our clock. If the result is missing or
// not positive, Config.DefaultLifetime applies: the token is new, and refusing
// it would lose a refresh token that cannot be had again. The same subtraction
// gives the refresh token's life, in the extra refresh_expiry.
//
// # Unknown
//
//   - What else a 400 or 401 of /token/ means. The vendor's list of troubles has
//     "IP not whitelisted" and "Invalid 2FA code" without status or code. This
//     package does not guess from the text, which is [tokenapi.Error]'s
//     Description.
//   - What happens after 30 to 40 requests.
//   - How many requests without a token are allowed, 15 a minute or 70, and
//     whether a 429 has Retry-After, which this package obeys.
//   - What a second step looks like. The token reports is_2fa_confirmed; the
//     vendor says "2FA is unavailable for API users".
//   - For how long, how often and with which Content-Type callbacks are sent, and
//     how version 2 signs those of payouts, which are not accepted.
//   - Whether version 2 still exists.
//   - The URL of version 3 for production, the codes of its errors, and whether it
//     bounds the requests with one access token.
//
// # Deviations
//
// The requests differ from the documented ones in these points only:
//
//   - The JSON has no white space, and \u003c, \u003e and \u0026 for <, > and &.
//   - A refresh sends Content-Type: application/vnd.api+json too; the article
//     leaves headers out.
//   - Accept (the same media type), User-Agent and Accept-Encoding are this
//     client's.
//
// # Errors
//
// Every error of a Client and a V3Client is a [*tokenapi.Error]. A V3Client's
// are those of SignIn:
//
//	                     SignIn              Refresh
//	2006                 ErrBadCredentials   ErrGrantRefused
//	2007                 by the status       ErrGrantRefused
//	throttled            ErrUnavailable      ErrUnavailable
//	400, 401             ErrBadCredentials   ErrGrantRefused
//	403, 404, 405        ErrMisconfigured    ErrMisconfigured
//	408, 429, 5xx        ErrUnavailable      ErrUnavailable
//	anything else        ErrUnusableAnswer   ErrUnusableAnswer
//
// A code counts more than the status. A body that is not JSON comes from a
// gateway: ErrUnavailable, except with 404 and 405.
//
// A server of the other version is ErrMisconfigured, and the Description names
// the client to use, if the refusal of a sign-in is about the other version's
// credentials: in the source.pointer of an error, or as a member of the body
// (both inferred). Keys of the other version at the right server look like
// wrong keys: ErrBadCredentials, whose Advice names the other client.
//
// Errors of Callbacks wrap one of this package's. No error and no printed value
// of this package shows a password or a token; do not print an *oauth2.Token.
package b2binpay
