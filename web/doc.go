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
// /account/token and /session, is no use: it does not prolong a session. Use
// is noted once a minute. The session's id changes at sign-in and before a
// second factor is asked for.
//
// Users see and end their sessions at /sessions, administrators everybody's at
// /admin/sessions. [Config.MaxSessionsPerUser] bounds them: the oldest ends.
// A user who was signed out by one process is signed out in all at once.
//
// The session at the IdentityServer has an end of its own, 10 hours by
// default. Unless [Config.ForgetIdentitySession] is set it is kept beside the
// tokens: it gets new tokens where the refresh token was lost, and a sign-out
// here ends it. A session here is over when the IdentityServer refuses both.
// An account that is disabled is so at the next renewal, within the life of an
// access token of a session in use.
//
// # More than one process
//
// Processes with the same [Config.Store] and [Config.Keys] share the sessions:
// any of them may serve any request, with one exception. A second
// factor is finished at the process that asked for it, because the password's
// session at the IdentityServer is in its memory. Elsewhere the user is told to
// start over. Keep a browser at its process for these minutes, by its cookie or
// its address, if you run several. The limits of attempts are each process's
// own. A process revokes the tokens of those sessions that it has seen time
// out; of those that only a process that is gone had seen, the refresh tokens
// end by themselves.
//
// A store that fails is answered by 503 with Retry-After, and costs nobody
// the session. In the store everything is sealed, under hashed names.
//
// # Back-channel logout
//
// Register PublicURL + /backchannel-logout as back-channel logout URI of each
// client, with the session id required. A logout token with a sid ends the
// sessions that came from that session at the IdentityServer, one without all
// of the user's, in every process. It works once. Front-channel logout is not
// offered: it relies on frames and on cookies that browsers keep back.
//
// # Administrators
//
// An administrator is a user whose verified ID token has
// [Config.AdministratorRole] in its claim "role", which may be a string or an
// array of strings, and whose access token was granted the scope BackOffice.
// Only administrators see other users' sessions, and the pages of a host
// application with [Page.AdministratorsOnly].
//
// # Pages of a host application
//
// A host application adds pages by [Config.Pages]. They stand behind the sign-in
// and under the site's rules for forms, bodies and errors. A [PageHandler] gets
// the [Session] of the request: who is signed in, an http.Client with the live
// token, and [Session.Render] for the site's frame. [Config.Public] serves the
// style sheets and scripts of these pages, and [Config.OnSignIn] observes
// sign-ins. The example of [Page] is complete.
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
//
// # Health
//
// /healthz answers while the process serves, whatever it depends on. /readyz is
// 503 and says which part is unavailable when the store does not answer or a
// client's discovery document or keys cannot be had, and after [Server.Drain].
// Neither needs a session, and no header changes what they say.
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
//	session touch failed                   error
//	not ready                              client or store, error
//	too many refused logouts               -
//	request                                method, path, status, bytes, took
//	request failed                         status, error
//	request abandoned                      error
//	panic                                  cause, stack
//	error page failed                      error
//	session over                           error
//	session not ended                      error
//	session not read                       error
//	session not saved: it ended meanwhile  -
//	session not saved after the answer     error
//
// # Metrics
//
// Config.Registerer gets these. client is one of Config.Clients.
// result is ok, or one of a few words for the failure. reason is
// user, everywhere, timeout, list, limit or back-channel. by is account or
// address. Histograms are in seconds; their _count is the number of events.
//
//	b2trader_sign_ins_total{client,result}                     counter: Sign-ins that finished or failed.
//	b2trader_second_factors_total{client,result}               counter: One-time codes entered.
//	b2trader_attempts_refused_total{by}                        counter: Attempts to sign in beyond the limit.
//	b2trader_sign_outs_total{reason}                           counter: Sessions ended, other than by a refused renewal.
//	b2trader_revocations_total{client,result}                  counter: Sign-outs at the IdentityServer.
//	b2trader_live_sessions{client}                             gauge: Sessions that this process has in memory: those used within the last ten minutes or so.
//	b2trader_renewal_duration_seconds{client,result}           histogram: Token renewals; result is a vault.Result.
//	b2trader_renewal_wait_seconds{client,result}               histogram: Requests that waited for a token renewal.
//	b2trader_lease_wait_seconds{client}                        histogram: Renewals that waited for another process's lease.
//	b2trader_store_operation_duration_seconds{op,result}       histogram: Operations of the store; conflict and not_found are no failures.
//	b2trader_store_watches_down                                gauge: Watches of the store that are interrupted: reads go to the store.
//	b2trader_store_watch_interruptions_total                   counter: Interruptions of watches of the store.
//	b2trader_upstream_responses_total{upstream,code}           counter: Answers of the APIs; code is a status, none or other.
//	b2trader_upstream_duration_seconds{upstream}               histogram: API calls, until their answer has been passed on; without streams.
//	b2trader_build_info{version,revision,go}                   gauge: Always 1; the labels describe the program.
//
// alerts.yaml, beside this file, has alerting rules for them.
package web
