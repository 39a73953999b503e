// Package identity signs in to B2Trader's IdentityServer and renews the tokens.
// It is the Go port of the npm package b2trader.identity.auth, version 1.2.0.
//
// # Use
//
// A [Client] talks to one server as one OAuth 2.0 client: spa, spa_admin,
// core_ib or lk.
//
//	client, err := identity.New(identity.Config{
//		URL:      "https://trader.example.com",
//		ClientID: identity.ClientSPA,
//	})
//	session, err := client.Login(ctx, email, password)
//
// The [Session] has an *oauth2.Token, which other packages that use
// golang.org/x/oauth2 accept, and a [State]. Access tokens live 30 seconds by
// the platform's default, and a refresh token works once. A program must
// therefore renew in one place, store the successor before it uses it, and never
// send a refresh token twice. Package vault does all of that. Do not renew by an
// oauth2.TokenSource: it does not return the new refresh token to the program.
//
// A sign-in with a second factor takes two steps more: Login fails with a
// [SecondFactorError], whose SignIn has [SignIn.VerifySecondFactor] and
// [SignIn.Finish].
//
// # From npm to Go
//
//	new IdentityAuth(url, clientId, secret)  identity.New(Config)
//	signIn(email, password)                  client.SignIn, returns a *SignIn
//	authorize(headers)                       signIn.Authorize, has the cookies
//	retrieveToken(code)                      signIn.RetrieveToken
//	refreshToken(refreshToken)               client.RefreshToken, or Refresh
//	signOut(accessToken, refreshToken)       client.SignOut
//	signOut(accessToken)                     client.SignOutEverywhere
//	machineToMachineSignIn(email, password)  client.MachineToMachineSignIn
//
// The Go package adds: [Client.Login], which makes the first three calls;
// [Client.Resume], which gets new tokens from an exported [State] without a
// password; [Client.VerifyIDToken], which returns the verified claims about the
// user; [Client.VerifyLogoutToken] for back-channel logout; and
// [Client.Keeper], which keeps a machine's account signed in.
//
// # Deliberate differences
//
// On the wire, this package differs from the npm package in these points only:
//
//	W1  authorize: code_challenge is of a verifier of 256 random bits (43
//	    characters); npm's 128 characters are biased
//	W2  authorize: state and nonce have 130 random bits and are compared
//	    with the answer's; npm sends 10 characters and compares nothing
//	W3  authorize and token requests: parameters are sorted by name; their
//	    order has no meaning
//	W4  authorize: redirects stop at the redirect URI, which is not called,
//	    and do not leave the server; npm calls it
//	W5  authorize: each attempt keeps its cookies in a jar; npm callers pass
//	    Set-Cookie text on, with its attributes
//	W6  retrieve token: spa sends client_id in the body (RFC 6749 section
//	    3.2.1); npm sends Basic with an empty secret
//	W7  token requests: the parts of Basic are form-encoded (RFC 6749
//	    section 2.3.1), as IdentityServer decodes them; npm's are not
//	W8  refresh token: a client with a secret authenticates by Basic; npm
//	    sends client_id alone, which stock servers refuse
//	W9  refresh token: scope is not sent, which keeps the granted scope (RFC
//	    6749 section 6)
//	W10 every call: Accept, Accept-Encoding, Connection and User-Agent are
//	    this client's
//	W11 the discovery document and the signing keys are fetched, once and
//	    after a change
//	W12 sign in: the body is the same JSON, and the answer's status and
//	    shape are checked; npm returns any answer
//
// The API differs, too: a failure is an error of one type, where npm returns
// null or any answer; the ID token is verified; every call has a context and
// bounds of time and bytes; sign-ins may run in parallel; a trailing slash of
// the URL is dropped; a program that calls Authorize before SignIn does not
// compile.
//
// # Errors
//
// Every error of a call is a *[tokenapi.Error] with the operation, the URL's
// path, the status, the server's code, and what the caller can do. It wraps one
// of the Err variables of package tokenapi, such as tokenapi.ErrBadCredentials,
// or [ErrNoRefreshToken]. No error and no printed value of this package shows a
// password, token, code, cookie or secret. An *oauth2.Token does show its
// tokens: do not print it.
//
// # Undocumented parts of the platform
//
// No document states the status of a refused sign-in, the body of a sign-out,
// or the second step of a sign-in with two factors. The package accepts any
// form of the first two. It infers the third, which the Config can replace.
package identity
