// Package identitytest is an IdentityServer for tests and demos. It signs users
// in, issues tokens and renews them as IdentityServer4 2.5 does behind
// B2Trader, and fails on command. It is an http.Handler, keeps everything in
// memory, makes new keys in each process and answers on loopback only.
//
// # Starting one
//
// In a test, one line runs a server until the test ends:
//
//	server := identitytest.Start(t, identitytest.Config{})
//	client, err := identity.New(identity.Config{URL: server.URL(), ClientID: "spa", …})
//
// In a program, New makes the handler and Listen a loopback listener for
// http.Serve. Inside a testing/synctest bubble, where sockets do not work, give
// the client the server's Transport instead: delays then pass in virtual time.
//
// For other languages there is a program, with a config file and faults by HTTP;
// its documentation is go doc ./identity/identitytest/cmd/identityserver:
//
//	go run ./identity/identitytest/cmd/identityserver -addr 127.0.0.1:8089
//
// The zero Config is an installation with the four clients of the platform and
// four users; SampleUsers and SampleClients list them with their passwords and
// secrets.
//
// # Endpoints
//
//	POST /identity/sign-in            password, or the second factor's code
//	POST /identity/sign-out           revokes tokens, ends the session
//	GET  /identity/connect/authorize  authorization code with PKCE
//	POST /identity/connect/token      authorization_code, refresh_token,
//	                                  password, client_credentials
//	POST /identity/connect/revocation
//	GET  /identity/connect/userinfo
//	GET  /identity/connect/endsession
//	     /identity/account/login      the page of Config.SignInPage
//	GET  /identity/.well-known/openid-configuration and …/jwks
//	     /frontoffice/api/v3/…, /backoffice/api/v1/…
//	GET  /frontoffice/ws/v4/account   a SignalR hub, as a websocket
//	GET  /                            a page that says what answers here
//
// Errors, their statuses, the order of members and claims, header fields, input
// limits and redirects are IdentityServer4 2.5's. In particular:
//
//   - Access tokens last 30 s.
//   - A refresh token works once. A renewal does not extend the life that it got
//     at the sign-in.
//   - An exchange uses a code up even if it fails, unless the client fails to
//     authenticate.
//   - Scopes come back in the server's order. Keys and tokens have no kid.
//   - Every error of the token endpoint is a 400, but a refused code is a 401
//     with ProblemDetails, as the README of the npm package shows.
//     Config.StockCodeErrors makes it a 400.
//   - The client spa_admin may leave its secret out, as the npm package does
//     when it refreshes. Config.RequireClientSecret refuses that.
//   - A bad authorize request ends at /identity/unauthorized, like one without a
//     session, which Config.SignInPage leads to a sign-in page instead. The
//     record tells them apart: see Problem in [Request].
//
// The discovery document has no introspection, device authorization or session
// iframe, as on an installation that has disabled them. The server never asks
// for consent.
//
// # Browsers
//
// Once a client has AllowedCORSOrigins, pages of these origins may call
// discovery, keys, token, userinfo and revocation, as with IdentityServer, and
// with cookies sign-in, sign-out and authorize, as the npm package does.
// The cookies are SameSite=Lax, so the page needs the server's host, with any
// port: a page of http://localhost:3000 gets no session from
// http://127.0.0.1:8089. Preflight requests have an endpoint of their own in the
// record.
//
// # Other clients
//
// Most OpenID Connect clients bring a browser to authorize and expect the server
// to ask for the password. Config.SignInPage does so: a browser without a
// session gets a page with e-mail, password and second factor, and then goes
// back to authorize.
//
// CI has these clients sign in, renew and sign out. Each needs a [Client] with
// its RedirectURIs, and the following:
//
//	openid-client 6    its option allowInsecureRequests, because the server
//	                   speaks HTTP. KeyID, if it verifies signatures
//	                   (enableNonRepudiationChecks) and there are two keys.
//	                   StockCodeErrors, to report invalid_grant for a refused
//	                   code.
//	oidc-client-ts 3   AllowedCORSOrigins.
//	                   accessTokenExpiringNotificationTimeInSeconds below 30:
//	                   the default, 60, renews a token of 30 s each second.
//	go-oidc, x/oauth2  nothing.
//	oauth2-proxy 7     The scope email, and --cookie-secure=false for HTTP.
//	                   --cookie-refresh below 30s, for tokens that last 30 s.
//	                   Its sign-out ends the session here if rd is the end
//	                   session endpoint; --whitelist-domain allows that.
//
// The program wonderwall is not part of CI. It needs KeyID, because it finds the
// key of a token by its kid.
//
// # Signing out
//
// End session with the id_token_hint of a client redirects to one of its
// PostLogoutRedirectURIs in the end. When a session ends, by end session or by a
// sign-out with cookies, the server posts a logout token to the
// BackChannelLogoutURI of each client that was authorized in it, and waits up
// to 5 s for them. EndSessions tells no client. SignLogoutToken makes a token
// for a test that sends its own.
//
// # Undocumented parts of the platform
//
// No document states some answers of B2Trader. This server answers as follows:
//
//   - the status of a refused sign-in: 400, or Config.SignInFailureStatus;
//   - the answer of a successful sign-out: 200 with {};
//   - the names of the cookies: the stock idsrv and idsrv.session, and
//     Identity.TwoFactorUserId during a second factor;
//   - the second step of a sign-in: POST /identity/sign-in with
//     verificationCode and provider and the cookie of the first step, as in
//     another product of the vendor. A refused code is answered like a refused
//     password. The password grant needs no code;
//   - the page /identity/unauthorized: 401 with a ProblemDetails body. The
//     redirect to it has IdentityServer's own returnUrl or errorId;
//   - the target of end session: the stock /account/logout below /identity. It
//     ends the session and redirects at once to the client's
//     PostLogoutRedirectURIs, where a stock page shows a link.
//
// The end of a session (by sign-out with its cookies or EndSessions) takes
// effect at once for every copy of its cookies. A stock IdentityServer keeps no
// list of sessions and accepts a copy until it expires. The times of tokens are
// checked without any skew.
//
// # The FrontOffice and BackOffice APIs
//
// The APIs check the bearer (signature, exp, iss, aud) and the scope
// FrontOffice or BackOffice: 401 with WWW-Authenticate, or 403
// insufficient_scope. The iss is one under which this server has issued tokens,
// whatever the host of the request is. Their resources are this server's own,
// made for demos, and not the platform's:
//
//	GET  /frontoffice/api/v3/account
//	GET  /frontoffice/api/v3/instruments
//	GET  /frontoffice/api/v3/orders
//	POST /frontoffice/api/v3/orders     {"instrument":"BTC_USD","side":"buy","amount":"0.1"}
//	GET  /backoffice/api/v1/users
//	GET  /backoffice/api/v1/clients
//
// Prices depend on the clock alone: servers with the same Config.Now have the
// same ones.
//
// # Streams
//
// The hub is a SignalR server with the JSON protocol: handshake, invocations,
// streams and their cancellation, pings and Close, with ASP.NET Core's times,
// bounds and errors. The access token is in the query, as access_token, or in
// Authorization; a refused one is 401. There is no negotiation, which B2Trader
// does not document: clients skip it. The methods are this server's own, without
// arguments:
//
//	Account   the same as GET /frontoffice/api/v3/account
//	Prices    a stream: {"instrument":"BTC_USD","bid":"64120.50","ask":"64131.00","time":…}
//	Orders    a stream: the user's orders, and sample orders that fill while time passes
//
// A connection ends when its token expires, with a Close message that allows the
// client to reconnect. Whether B2Trader's hubs do so is not documented; ASP.NET
// Core does it by the option CloseOnAuthenticationExpiration, and a client that
// bears it works without it. Connections need sockets: [Server.Transport]
// answers 501.
//
// # Faults
//
// Inject makes an endpoint slow, silent, wrong or oversized as a [Fault] says,
// for one request or for many. An [IDTokenFault] breaks an ID token.
// RotateKeys, DropOldKeys, EndSessions, ExpireTokens, RevokeTokens and
// DisableUser change the server while clients use it.
//
// # The record
//
// The server records its requests. Count and Grants return their number, so
// that a test can prove that there was one refresh request and not two.
// Requests returns them, secrets included.
package identitytest
