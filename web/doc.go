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
// The browser has one cookie: HttpOnly, SameSite=Strict, without an expiry, and
// on https Secure with the name prefix __Host-. Access, refresh and ID tokens
// never leave the server. A session ends at sign-out, after
// [Config.IdleTimeout] without use, and after [Config.AbsoluteTimeout] in any
// case; its refresh token is then revoked. Requests that scripts send by
// themselves (GET /account/token and GET /session) do not count as use of the
// session. POST /session does: by it a page keeps the user signed in. Use is
// written once a minute. The session's ID changes at sign-in and before a second
// factor.
//
// Users see and end their sessions at /sessions, administrators the sessions of
// all users at /admin/sessions. [Config.MaxSessionsPerUser] bounds them: the
// oldest ends. A sign-out at one process is a sign-out at all of them at once.
//
// The session at the IdentityServer has an end of its own, after 10 hours by
// default. Unless [Config.ForgetIdentitySession] is set, the vault keeps it: it
// gets new tokens after the refresh token was lost, and a sign-out here ends
// it. A session here ends when the IdentityServer refuses both. The session of
// an account that is disabled ends at the next renewal, within the life of an
// access token.
//
// # More than one process
//
// Processes with the same [Config.Store] and [Config.Keys] share the sessions,
// and any of them may serve any request. A sign-in that waits for its second
// factor is in the store, so another process can finish it. Each process counts
// attempts to sign in by itself; the wrong codes of one sign-in are counted in
// the store. A process revokes the tokens of sessions that time out if it has
// served them. If that process has stopped, the refresh tokens expire.
//
// If the store fails, the answer is 503 with Retry-After, and no session ends.
// All records are sealed, under hashed names.
//
// # Back-channel logout
//
// Register PublicURL + /backchannel-logout as back-channel logout URI of each
// client, with the session ID required. A logout token with a sid ends the
// sessions that came from that session at the IdentityServer. One without a sid
// ends all sessions of the user. It works once, in every process. If the store
// fails, the answer is 503; the process keeps the token, up to 1,000 of them,
// treats the sessions as ended, and ends them when the store is back.
// Front-channel logout is not offered: it depends on frames and on third-party
// cookies.
//
// # Administrators
//
// An administrator is a user whose verified ID token has
// [Config.AdministratorRole] in its claim "role", which may be a string or an
// array of strings, and whose access token was granted the scope BackOffice.
// The newest ID token decides: a role that is taken away at the IdentityServer
// is gone with the next renewal. If the answer of a renewal has no ID token, the
// one before counts.
//
// Only administrators see other users' sessions, and the pages of a host
// application with [Page.AdministratorsOnly]. By default only they can sign in
// with a client whose tokens have the scope BackOffice, and call /api/backoffice/;
// [Upstream.Users] says otherwise.
//
// # Pages of a host application
//
// A host application adds pages by [Config.Pages]. They stand behind the sign-in
// and under the site's rules for forms, bodies and errors. A [PageHandler] gets
// the [Session] of the request: the user, an http.Client with the live token, and
// [Session.Render] for the site's frame. [Config.Public] serves the
// style sheets and scripts of these pages, and [Config.OnSignIn] observes
// sign-ins. The example of [Page] is complete.
//
// [Config.Brand] gives the site a name, a logo, colours and a style sheet, and
// [Config.Texts] its words: [English], [German], or the host application's own.
//
// # Cross-site requests
//
// Every unsafe request must come from the site itself, by its Sec-Fetch-Site or
// Origin (http.CrossOriginProtection), and GET changes nothing. A link from
// another site leads to a page that loads the wanted page again, because the
// first request has no SameSite=Strict cookie.
//
// # Calling the APIs
//
// Scripts of the site call the platform's APIs through it: calls of
// /api/frontoffice/ and /api/backoffice/ go to [Config.FrontOfficeURL] and
// [Config.BackOfficeURL] with the session's token. Every call must carry the
// header X-Requested-With, with any value; a page of another site cannot send
// it. EventSource and WebSocket cannot set headers: they work from pages of
// [Config.PublicURL] only.
//
//   - Errors of this site are JSON: error, message, request_id. 401 with the
//     error no_session asks for a sign-in. 503 has Retry-After. Calls with 403,
//     405, 411, 413 and 429 were not passed on. 502 and 504 are failures of the
//     API.
//   - A call counts as use of the session, unless its X-Requested-With is
//     "background". A stream does not count.
//   - Event streams (text/event-stream) and websockets are passed on at once and
//     continue over renewals of the token. Every call ends when its session ends,
//     in each process.
//   - The server's timeouts do not apply to calls. A body ends the call with 408
//     if nothing of it arrives for 15 seconds. An answer is cut if the browser
//     does not read for 30 seconds, or if the API sends nothing for two minutes,
//     unless it is a stream.
//   - A call that the API answers with 401 is sent once more with a new token,
//     if its body is not larger than 64 KiB. So is the handshake of a websocket.
//   - Cookies, and headers by which an API might identify the caller, do not
//     reach the API. The API's headers about cookies, authentication, other
//     origins or the whole site do not reach the browser. [Upstream] has the
//     limits.
//   - Websockets of /ws/frontoffice/ and /ws/backoffice/ go to the SignalR hubs
//     below /ws/ of the same URLs, with the session's token also in the
//     parameter access_token of the query, in place of any that the browser
//     sends. A hub's answer that is no websocket is 502.
//   - Redirects of the API below its own base lead to this site. Others are 502.
//
// Call [Server.EndStreams] when the HTTP server shuts down.
//
// # Behind a proxy
//
// Attempts to sign in are limited per client address. Without
// [Config.TrustedProxies] that is the address of the TCP connection, so behind
// a proxy all clients would share one allowance.
//
// # Health
//
// /healthz is 200 while the process serves. /readyz is 503 and names the part
// that is unavailable if the store does not answer, if a client's discovery
// document or keys are unavailable, if a part of the host application is
// ([Config.Ready]), and after [Server.Drain]. It also
// names a clock of the process that differs from the store's by more than 2 s.
// Neither needs a session.
//
// # Events
//
// Config.Logger gets these events with their attributes. During a request each
// has also the request's ID, the client's address and, in a session, the hash
// of that session: "request", "address" and "session". "user" is issuer and
// subject; of an action of an administrator it is the administrator. "account"
// is a hash of the e-mail that was typed. Give the Logger a handler that writes
// times in UTC.
//
//	signed in                              client, user, account, administrator
//	sign-in failed                         client, account, error
//	second factor required                 client, account
//	second factor accepted                 client, account
//	second factor failed                   client, account, error
//	too many attempts                      by, account
//	signed out                             client, user
//	signed out everywhere                  user, sessions
//	session timed out                      client, user
//	token renewal                          result, client, user, took, error
//	tokens revoked                         client, user
//	remote sign-out failed                 client, user, error
//	tokens not deleted                     client, user, error
//	sessions ended                         user, sessions
//	sessions ended: too many of one user   user, sessions
//	administrator ends sessions            administrator, user
//	back-channel logout                    user, sessions
//	back-channel logout refused            error
//	cross-origin request refused           origin, fetch_site
//	not ready                              client, part or store, error
//	too many refused logouts               -
//	session not deleted                    user, error
//	back-channel logout given up           user
//	logout token not marked as used        user, error
//	request                                method, path, status, bytes, took
//	request failed                         status, error
//	request abandoned                      error
//	API call cut                           api, reason, bytes
//	panic                                  cause, stack
//	error page failed                      error
//	session over                           error
//	session not ended                      error
//	session not read                       error
//	session touch failed                   error
//	session not saved: it ended meanwhile  -
//	session not saved after the answer     error
//
// # Metrics
//
// Config.Registerer gets the metrics that docs/operations.md lists with their
// labels. Their names begin with b2trader_. client is one of Config.Clients, or
// a name that the host application counts under ([Config.Metrics]). result is
// ok, or one of a few words for the failure. Histograms are in seconds; their
// _count is the number of events.
//
// alerts.yaml and dashboard.json, beside this file, have alerting rules and a
// Grafana dashboard for them.
package web
