// Package tradevest gets access tokens for Tradevest's partner API and adds the
// Requestor-ID to API calls. A partner is an OAuth 2.0 client whose id and
// secret are its whole account. It gets tokens by the client credentials grant
// (RFC 6749 section 4.4), each for an hour. The API has no users and no refresh
// tokens.
//
// # Use
//
// A [Client] signs in. A Keeper signs in again whenever a vault needs the next
// token. The vault's Transport adds the token to API calls, and the Client's
// Transport adds the Requestor-ID: see the example "Vault". Processes that share
// the vault's store share one token. A program that needs a single token calls
// [Client.SignIn].
//
// The zero Config follows the vendor's page, whose host is the test platform. The
// example of [New] has the production platform of the vendor's guide.
//
// # Requestor-ID
//
// "Most operations require you to identify the specific individual performing
// the action", says the guide: by the UUID of an active natural person, the
// customer that a change is for or a proxy (release notes of v.1.5.0).
// Config.RequestorID suits programs that act for one person. If persons differ,
// set the header of each request, which [Client.Transport] keeps. The token
// request and the creation of a person or legal entity need none.
//
// # Sources
//
// The page is "Authorization" in the API reference at docs.tradevest.ai, with
// its OpenAPI description: the path, the parameters, the answers with 200 and
// 400, the error codes, the default of expires_in. The guide is "Partner API
// Authentication" there, which is newer: another path, a scope, the production
// host, the Requestor-ID.
//
// # Unknown
//
//   - Which of the two paths a platform wants, and whether it wants the scope:
//     the page and the guide disagree about the same host. The defaults are the
//     page's.
//   - When the server answers invalid_grant, and whether it ever answers 401.
//   - Whether a token can end before its hour, such as when another is issued or
//     the secret changes.
//   - How the API refuses an expired token. A vault's Transport gets another one
//     after a 401.
//   - How often a partner may sign in. A Keeper signs in at most every 10
//     seconds.
//
// # Deviations
//
// The request of SignIn differs from the page's sample in these points only:
//
//   - The body has no quotes, neither around the values nor around the whole: it
//     is client_id=string&client_secret=string&grant_type=client_credentials.
//     The quotes are an artefact of the page, whose Content-Length does not fit
//     either: it says 81 for 75 bytes, as if each inner quote were two. Ours has
//     67 bytes.
//   - Accept is absent, which means the same as the sample's */* (RFC 9110
//     section 12.5.1).
//   - User-Agent and Accept-Encoding are net/http's.
//
// Values are form-encoded. The scope, if Config.Scopes has any, comes last.
//
// # Errors
//
// Every error is a *tokenapi.Error with the server's code in Code:
//
//	invalid_client, invalid_grant                  ErrBadCredentials
//	401, with a body or without                    ErrBadCredentials
//	a page of a gateway, except with 404, 405      ErrUnavailable
//	unauthorized_client, unsupported_grant_type    ErrMisconfigured
//	invalid_request, invalid_scope, 404, 405       ErrMisconfigured
//	Config.ClientSecret fails or has no secret     ErrMisconfigured, without a request
//	temporarily_unavailable, server_error          ErrUnavailable
//	no answer, 408, 429, 5xx                       ErrUnavailable
//	any other answer, such as a redirect           ErrUnusableAnswer
//
// A code counts more than the status; the page lists all codes with 400.
//
// In package identity invalid_client is ErrMisconfigured. Here the secret is the
// account, and ErrBadCredentials makes a Keeper pause until the secret changes.
//
// No error and no printed value of this package shows the secret or a token; do
// not print an *oauth2.Token.
package tradevest
