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
// # Calling the APIs
//
// Scripts of the site call the platform's APIs through it: what is at
// /api/frontoffice/ and /api/backoffice/ goes to [Config.FrontOfficeURL] and
// [Config.BackOfficeURL] with the session's token attached. Every call must
// carry the header X-Requested-With, whatever its value; a page of another site
// cannot send it. EventSource and WebSocket cannot set headers: they work from
// pages of [Config.PublicURL] only.
//
//   - Errors of this site are JSON: error, message, request_id. 401 with the
//     error no_session means to sign in; 503 has Retry-After; 403, 405, 411, 413
//     and 429 were not passed on; 502 and 504 tell of the API.
//   - A call is use of the session, unless its X-Requested-With is "background".
//     Opening a stream is no use either.
//   - Event streams (text/event-stream) and websockets are passed on at once and
//     outlive renewals of the token. They end when the session does, wherever
//     that is ended. Other answers are subject to the server's write timeout.
//   - A call that the API answers with 401 is sent once more with a new token,
//     if its body is not larger than 64 KiB and it is no websocket.
//   - Cookies, and headers that could pretend to be somebody, do not reach the
//     API; what the API says about cookies, authentication, other origins or the
//     whole site does not reach the browser. [Upstream] has the limits.
//   - Redirects of the API below its own base lead to this site; others are 502.
//
// Call [Server.EndStreams] when the HTTP server shuts down.
//
// # Behind a proxy
//
// Attempts to sign in are limited per client address. Without
// [Config.TrustedProxies] that is the address of the TCP connection, so
// behind a proxy everyone would share one allowance.
package web
