// Package identity signs in to B2Trader's IdentityServer and keeps what it gets alive. It is the Go port of the
// npm package b2trader.identity.auth, version 1.2.0.
//
// # Use
//
// A [Client] talks to one server as one OAuth 2.0 client: spa, spa_admin, core_ib or lk.
//
//	client, err := identity.New(identity.Config{URL: "https://trader.example.com", ClientID: identity.ClientSPA})
//	token, err := client.Login(ctx, email, password)
//
// The token is an *oauth2.Token: what already works with golang.org/x/oauth2 works with it. Access tokens live 30 seconds
// by the platform's default, and a refresh token works once. So renew in one place, store the successor before you
// use it, and never send a refresh token twice; package vault does all of that. Do not use oauth2.TokenSource for it:
// it shows nobody the successor.
//
// Users with a second factor need the steps one by one: [Client.SignIn], [SignIn.VerifySecondFactor],
// [SignIn.Authorize], [SignIn.RetrieveToken].
//
// # From npm to Go
//
//	new IdentityAuth(url, clientId, secret)   New(Config{URL, ClientID, ClientSecret})
//	signIn(email, password)                   client.SignIn(ctx, email, password), a *SignIn
//	authorize(headers)                        signIn.Authorize(ctx); the cookies are in signIn
//	retrieveToken(code)                       signIn.RetrieveToken(ctx, code)
//	refreshToken(refreshToken)                client.RefreshToken(ctx, refreshToken), or Refresh(ctx, token)
//	signOut(accessToken, refreshToken?)       client.SignOut(ctx, accessToken, refreshToken); "" revokes all
//	machineToMachineSignIn(email, password)   client.MachineToMachineSignIn(ctx, email, password)
//	-                                         client.Login: the first three in one
//	-                                         client.Resume: tokens again, from an exported [State], without a password
//	-                                         client.VerifyIDToken: who it is, proven
//	-                                         client.VerifyLogoutToken: back-channel logout
//	-                                         client.Keeper: a machine's account that signs in again by itself
//
// # Deliberate differences
//
// On the wire, this package differs from the npm package in these points and no others.
//
//	W1  authorize: code_challenge is of a verifier of 256 random bits (43 characters); npm's 128 characters are biased
//	W2  authorize: state and nonce have 130 random bits and are compared with what comes back; npm sends 10 characters and compares nothing
//	W3  authorize and token requests: parameters are sorted by name; their order means nothing
//	W4  authorize: redirects stop at the redirect URI, which is not called; they do not leave the server; npm calls it
//	W5  authorize: cookies are kept by a jar for each attempt; npm callers pass Set-Cookie text on, attributes and all
//	W6  retrieve token: spa sends client_id in the body (RFC 6749 section 3.2.1); npm sends Basic with an empty secret
//	W7  token requests: the parts of Basic are form-encoded (RFC 6749 section 2.3.1), as IdentityServer decodes them; npm's are not
//	W8  refresh token: a client with a secret authenticates by Basic; npm sends client_id alone, which stock servers refuse
//	W9  refresh token: scope is not sent: left out, it is what was granted (RFC 6749 section 6)
//	W10 every call: Accept, Accept-Encoding, Connection and User-Agent are this client's
//	W11 the discovery document and the signing keys are fetched, once and when they change
//	W12 sign in: the body is the same JSON, and the answer's status and shape are checked; npm returns any answer
//
// Beside the wire: a failure is an error of one type, where npm returns null or any answer; the ID token is verified;
// every call has a context, and bounds in time and bytes; sign-ins may run side by side; a trailing slash of the URL is dropped;
// Authorize before SignIn cannot be written down.
//
// # Errors
//
// Every error is an [*Error] and wraps one of the Err variables, by what the caller can do about it. Neither an error nor any
// printed value of this package shows a password, token, code, cookie or secret. *oauth2.Token is not
// this package's: do not print it.
//
// # What is not known
//
// No document states the status of a refused sign-in, the body of a sign-out, or the second step of a sign-in with two
// factors. The package accepts any of the first two; the third is inferred and can be replaced.
package identity
