// Package web signs people in to B2Trader and keeps their tokens on the
// server: a Backend-for-Frontend with pages of its own.
//
// # Use
//
// [New] checks a [Config] and returns a [Server], which is an http.Handler.
// Serve it at the root of the site that Config.PublicURL names, and call
// [Server.Close] after the HTTP server has drained. The example of [New] shows
// all of it.
//
// # Sessions
//
// The browser holds one cookie: HttpOnly, SameSite=Strict, without an expiry
// of its own, and on https Secure with the name prefix __Host-. Access,
// refresh and ID tokens never leave the server. A session ends at sign-out,
// after [Config.IdleTimeout] without use and after [Config.AbsoluteTimeout] in
// any case; its refresh token is then revoked. What asks by itself, which is
// /account/token and /session, is no use: it does not prolong a session. The
// session's id changes at sign-in and before a second factor is asked for.
//
// The session at the IdentityServer has an end of its own, 10 hours by
// default, which is not noticed here until the refresh token is refused.
//
// # Administrators
//
// An administrator is a user whose verified ID token has
// [Config.AdministratorRole] in its claim "role", which may be a string or an
// array of strings, and whose access token was granted the scope BackOffice.
// Only administrators see the machine-to-machine page.
//
// # Cross-site requests
//
// Every unsafe request must come from the site itself, as told by
// Sec-Fetch-Site or Origin (http.CrossOriginProtection), and nothing changes
// by GET. A link from another site leads to a page that loads the real one
// once more, because SameSite=Strict keeps the cookie from the first request.
//
// # Behind a proxy
//
// Attempts to sign in are limited per client address. Without
// [Config.TrustedProxies] that is the address of the TCP connection, so
// behind a proxy everyone would share one allowance.
package web
