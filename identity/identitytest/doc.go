// Package identitytest is an IdentityServer for tests and demos: it signs users in, hands
// out tokens and renews them as IdentityServer4 2.5 does behind B2Trader, and misbehaves on
// command. It is a plain http.Handler, keeps everything in memory, makes its keys anew in
// each process and answers on loopback only.
//
// # Starting one
//
// In a test, one line runs a server until the test ends:
//
//	server := identitytest.Start(t, identitytest.Config{})
//	client, err := identity.New(identity.Config{URL: server.URL(), ClientID: "spa", …})
//
// In a program, New makes the handler and Listen a loopback listener for http.Serve. Inside
// a testing/synctest bubble, where sockets do not work, give the client the server's
// Transport instead: delays then pass in virtual time.
//
// The zero Config is an installation with the four clients of the platform and four users;
// SampleUsers and SampleClients list them with their passwords and secrets.
//
// # What it speaks
//
//	POST /identity/sign-in              address and password as JSON, then the code of the second factor
//	POST /identity/sign-out             revokes refresh tokens, ends the session of the cookies
//	GET  /identity/connect/authorize    authorization code with PKCE
//	POST /identity/connect/token        authorization_code, refresh_token, password, client_credentials
//	POST /identity/connect/revocation
//	GET  /identity/connect/userinfo
//	GET  /identity/connect/endsession
//	GET  /identity/.well-known/openid-configuration and …/jwks
//	     /frontoffice/api/v3/…, /backoffice/api/v1/…
//
// Errors, their statuses, the order of members and claims, header fields, input limits and
// redirects are IdentityServer4 2.5's. In particular: access tokens last 30 s; a refresh
// token works once, and renewing never extends the life it got at the sign-in; a code is
// burnt by any exchange that gets as far as looking at it, but not by a client that fails
// to authenticate; scopes come back in the server's order; keys and tokens carry no kid;
// every error of the token endpoint is a 400; a bad authorize request ends at
// /identity/unauthorized, where the client cannot tell it from not being signed in. The
// record tells: see Problem in [Request].
//
// Introspection, device authorization and the session iframe are left out of the discovery
// document, as on an installation that has disabled them. Consent is never asked for.
//
// # What is not known about the platform
//
// Some answers of B2Trader are documented nowhere. Here they are:
//
//   - the status of a refused sign-in: 400, or Config.SignInFailureStatus;
//   - the answer of a successful sign-out: 200 with {};
//   - the names of the cookies: the stock idsrv and idsrv.session, and
//     Identity.TwoFactorUserId while a second factor is awaited;
//   - the second step of a sign-in: POST /identity/sign-in with verificationCode and
//     provider under the cookie of the first step, as a sibling product has it. A refused
//     code is answered like a refused password. The password grant asks for no code;
//   - what /identity/unauthorized shows: 401 with a ProblemDetails body. The redirect to it
//     carries IdentityServer's own returnUrl or errorId;
//   - where end session leads: the stock /account/logout below /identity.
//
// Ending a session (sign-out under its cookies, EndSessions) ends it at once for every copy
// of its cookies; a stock IdentityServer keeps no list of sessions and would honour a copy
// until it expires. The times of tokens are checked without any skew.
//
// # The FrontOffice and BackOffice APIs
//
// The APIs check the bearer (signature, exp, iss, aud) and the scope of that name: 401 with
// WWW-Authenticate, or 403 insufficient_scope. Their resources are this server's own, made
// for demos; they are not the platform's, and nothing about the platform's API follows from
// them:
//
//	GET  /frontoffice/api/v3/account
//	GET  /frontoffice/api/v3/instruments
//	GET  /frontoffice/api/v3/orders
//	POST /frontoffice/api/v3/orders     {"instrument":"BTC_USD","side":"buy","amount":"0.1"}
//	GET  /backoffice/api/v1/users
//	GET  /backoffice/api/v1/clients
//
// # Faults
//
// Inject makes an endpoint slow, silent, wrong or oversized, for one request or for many; a
// [Fault] says how, an [IDTokenFault] how an ID token is broken. RotateKeys, DropOldKeys,
// EndSessions, ExpireTokens, RevokeTokens and DisableUser change the server under its clients.
//
// # The record
//
// The server remembers what it was asked. Count and Grants count, so that a test can prove
// that there was one refresh request and not two; Requests shows everything, secrets
// included.
package identitytest
