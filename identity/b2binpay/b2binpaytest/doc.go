// Package b2binpaytest is the token API of B2BINPAY for tests and demos: it
// signs an API account in, renews its tokens, signs callbacks, and fails on
// command. It is a plain http.Handler, keeps its state in memory and answers on
// loopback only. It speaks version 2 or, with Config.Version 3, version 3.
//
// # Use
//
// In a test, one line runs a server until the test ends:
//
//	server := b2binpaytest.Start(t, b2binpaytest.Config{})
//	client, err := b2binpay.New(b2binpay.Config{URL: server.URL()})
//	token, err := client.SignIn(ctx, b2binpaytest.SampleLogin, b2binpaytest.SamplePassword)
//
// Package apitest tells how to run it in a program or without a socket, and how
// to inject faults.
//
// # Endpoints
//
//	POST /token/            login and password (JSON:API), answered with tokens and a signature
//	POST /token/refresh/    a refresh token, answered with new tokens and no signature
//	GET  /balance/          a resource for a live access token, this server's own
//
// Shapes, the order of members, media types, lives and the error codes 2006 and
// 2007 are those of the vendor's article on tokens and of the version 2 pages of
// docs.b2binpay.com. Access tokens live 15 minutes and refresh tokens six hours,
// as in the article's sample; its text says three minutes, and the pages say
// one. A refresh token works once. A renewal does not end the old access token.
// No client can verify a token.
//
// Version 3 has no refresh tokens:
//
//	POST /token/            client_id and client_secret, answered with an access token of an hour
//
// Its shape is that of docs.b2binpay.com's page on authentication.
//
// Callback and UnsignedCallback make the body that the vendor posts to a
// merchant's callback URL, in the shape of the vendor's help page on signatures.
// In version 3 the callback secret signs them, and PayoutCallback makes those of
// payouts. The vendor publishes neither, so both are inferred.
//
// # Unknown
//
// The vendor does not document these facts. This server decides:
//
//   - a path without its trailing slash gets 301, as Django does it;
//   - a body that is not application/vnd.api+json gets 415 and code
//     unsupported_media_type;
//   - a body that lacks a member gets 400 and code invalid, and source.pointer
//     names the member, so the credentials of the other version do too;
//   - version 3 refuses wrong keys with version 2's 400 and 2006;
//   - a refused access token gets 401 and code not_authenticated;
//   - errors have a status and no title. Config.NumericCodes makes the code a
//     number, as some clients read it;
//   - a refresh token that is used twice is refused, with no other effect;
//   - an access token works for any number of requests, unless Config.MaxUses is
//     set; the article allows 30 to 40;
//   - requests per minute are unlimited. Inject a Fault with the status 429.
package b2binpaytest
