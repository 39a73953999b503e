// Package tokenapi is what the clients of all token APIs in this module have in common: how they fail, how they hide
// secrets, how they send, and how an account is kept signed in without a person.
//
// The clients are those of B2Trader's IdentityServer (package identity), of B2Core's platforms (b2core), of TraderEvolution's
// back office (traderevolution), of Tradevest (tradevest) and of B2BINPAY (b2binpay). Each has a Config of its own, which says
// how requests are sent by an [HTTP] or, in package identity, by fields of the same names, and gives tokens as *oauth2.Token.
//
// # Errors
//
// Every error of a client is an [*Error], and wraps one of the Err variables by what the caller can do about it:
//
//	ErrBadCredentials   correct the password or secret
//	ErrNotSignedIn      sign in again
//	ErrGrantRefused     the refresh token is spent: sign in again
//	ErrMisconfigured    correct the Config; signing in again cures nothing
//	ErrUnavailable      try later; no session is lost by it
//	ErrUnusableAnswer   the server breaks its promises; its operators must look
//
// A refusal that comes as a page of HTML is a gateway's, and not the API's: it is ErrUnavailable where the status alone would end
// a session or refuse an account.
//
// The vendor's own code, such as 2007 or 1.2.0.11, is in [Error.Code].
//
// # Keeping tokens alive
//
// Each client has Refresh(ctx, old), which is what package vault calls a Refresher. A [Keeper] is a Refresher too, one that signs in again
// where there is no refresh token or it is refused: for an [Account] whose password a program holds. The Keeper methods of the
// clients make one.
//
// # Extras
//
// Beside its fields a token carries extras, by name: scope and id_token where the API has them, and refresh_expiry ([RefreshExpiry]), a
// time.Time, where it says how long the refresh token lives. Package vault keeps these three.
package tokenapi
