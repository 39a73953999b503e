// Package b2binpaytest is the token API of B2BINPAY's v2 for tests and demos: it signs an
// API account in, renews its tokens, signs callbacks, and misbehaves on command. It is a
// plain http.Handler, keeps everything in memory and answers on loopback only.
//
// # Starting one
//
// In a test, one line runs a server until the test ends:
//
//	server := b2binpaytest.Start(t, b2binpaytest.Config{})
//	client, err := b2binpay.New(b2binpay.Config{URL: server.URL()})
//	token, err := client.SignIn(ctx, b2binpaytest.SampleLogin, b2binpaytest.SamplePassword)
//
// In a program, New makes the handler and Listen a loopback listener for http.Serve. Inside
// a testing/synctest bubble, where sockets do not work, give the client the server's
// Transport instead: delays then pass in virtual time.
//
// # What it speaks
//
//	POST /token/            login and password (JSON:API), answered with tokens and a signature
//	POST /token/refresh/    a refresh token, answered with new tokens and no signature
//	GET  /balance/          a resource for the bearer, see below
//
// Shapes, the order of members, media types, lifetimes and the error codes 2006 and 2007 are
// those of the vendor's article on tokens and of the v2 pages of docs.b2binpay.com. Access
// tokens last 15 minutes and refresh tokens six hours, as in the article's sample; its text
// says three minutes, and the v2 pages say one. A refresh token works once. Access tokens
// outlive the renewal, and cannot be verified by anybody but the server.
//
// Callback and UnsignedCallback make the body of what the vendor posts to a merchant's
// callback URL, in the shape of the vendor's help page on verifying signatures.
//
// # What is not known about the API
//
// Some of it is documented nowhere. Here it is:
//
//   - a path without its trailing slash: 301 to the path with it, as Django does it;
//   - a body that is not application/vnd.api+json: 415 and code unsupported_media_type;
//   - a body without what it must have: 400 and code invalid;
//   - an access token that is not accepted: 401 and code not_authenticated;
//   - whether errors have status and title: status yes, title no. Config.NumericCodes makes
//     code a number, as some clients have it;
//   - what using a refresh token twice does beyond its being refused: nothing;
//   - what happens to a token after 30 to 40 requests, which the article allows: nothing,
//     unless Config.MaxUses says when it is refused;
//   - requests per minute: as many as you like. Inject a Fault with the status 429.
//
// The resource at [APIPath] is this server's own, made for tests; it is not B2BINPAY's, and
// nothing about their API follows from it.
//
// # Faults and the record
//
// Inject makes an endpoint slow, silent, wrong or oversized; ExpireTokens and
// RevokeRefreshTokens change the server under its clients. Config.ClockOffset makes its
// clock go wrong. Count and Requests tell what the server was asked, secrets included. See
// package apitest.
package b2binpaytest
