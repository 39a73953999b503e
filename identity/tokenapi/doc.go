// Package tokenapi is the vocabulary that the clients of this module share:
// errors and their outcomes, secrets, settings of HTTP, and accounts that sign
// in without a person.
//
// The clients are those of B2Trader's IdentityServer (package identity), of
// B2Core and its platforms (b2core), of TraderEvolution's back office
// (traderevolution), of Tradevest (tradevest) and of B2BINPAY (b2binpay). Each
// has a Config, whose [HTTP] says how it sends requests. Each returns tokens as
// *oauth2.Token.
//
// # Errors
//
// Every error of a client is an [*Error] that wraps one of these sentinels.
// They say what the caller can do:
//
//	ErrBadCredentials         correct the password or secret
//	ErrSecondFactorRequired   verify the user's one-time code
//	ErrSecondFactorRefused    ask the user for another code
//	ErrNotSignedIn            sign in again
//	ErrGrantRefused           sign in again; the refresh token is used up
//	ErrMisconfigured          correct the Config; a new sign-in does not help
//	ErrUnavailable            try later; the session is not lost
//	ErrUnusableAnswer         ask the server's operators; the answer breaks its contract
//
// A refusal with an HTML page comes from a gateway and not from the API. If the
// API speaks JSON only, so does a refusal with any other text. It is
// ErrUnavailable, except with 404 and 405, which mean a wrong URL. [Error.Code]
// is the vendor's own code, such as 2007 or 1.2.0.11.
//
// The error of a constructor joins a [*FieldError] for each problem of the
// Config.
//
// # Outcomes
//
// A program that keeps tokens, such as package vault, needs to know one thing
// of a failed renewal: is the token lost, or kept? [OutcomeOf] returns that for
// any error, [WithOutcome] attaches it to the errors of a client outside this
// module.
//
// # Accounts
//
// A [Keeper] keeps an [Account] signed in without a person: its Refresh signs
// in again if there is no refresh token, or the server refuses it. The clients
// make one by their Keeper methods. A Keeper is a Refresher of package vault,
// and so is each client that has Refresh(ctx, old).
//
// # Extras of a token
//
// A token's extras are scope and id_token where the API has them, and
// refresh_expiry ([RefreshExpiry]), a time.Time, where the API says how long
// the refresh token lives. Package vault keeps these three.
package tokenapi
