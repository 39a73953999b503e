// Package b2coretest is a B2Core for tests and demos: it gives tokens of B2Trader to whoever is
// signed in to it, and renews them, as the page "Trading platforms" of B2Core's REST API
// reference has it, and misbehaves on command. It is a plain http.Handler, keeps everything in
// memory and answers on loopback only.
//
// # Starting one
//
// In a test, one line runs a server until the test ends:
//
//	server := b2coretest.Start(t, b2coretest.Config{})
//	client, err := b2core.New(b2core.Config{URL: server.URL(), Bearer: server.Bearer})
//
// In a program, New makes the handler and Listen a loopback listener for http.Serve. Inside
// a testing/synctest bubble, where sockets do not work, give the client the server's
// Transport instead: delays then pass in virtual time.
//
// # What it speaks
//
//	POST /api/v2/my/platforms/{platformId}/auth     tokens for the bearer of a B2Core session
//	POST /api/v2/my/platforms/{platformId}/refresh  tokens for that bearer and a refresh token
//	GET  /frontoffice/api/v3/account                an API that the tokens are good for
//
// There is one B2Core session, which lives until EndSession; [Server.Bearer] gives its
// access tokens. How B2Core signs a user in is left out.
//
// Tokens look like the page's sample: the claims sub, iat, exp and iss, where exp lies ten
// hours ahead although the ttl is 60 seconds. The ttl is what the server goes by. Tokens are
// not verifiable; the server knows them by heart.
//
// # What is not known about B2Core
//
// The page leaves these open. Here they are:
//
//   - how long a refresh token lives: 10 hours, which is exp - iat of the sample, or
//     Config.RefreshTokenLifetime;
//   - whether a refresh token works twice: it works once, unless Config.ReuseRefreshTokens
//     is set;
//   - the status of a refused refresh token: 401, as for a bearer, or
//     Config.RefreshFailureStatus;
//   - the bodies of errors: {"error":{"message":…}}, as B2Core's TypeScript client reads them
//     elsewhere;
//   - the answer for an unknown platform: 404, after the bearer was looked at;
//   - what the country's headers are for: they may be anything;
//   - whether tokens of B2Trader end with the B2Core session: access tokens live on until they
//     expire, refresh tokens are of no use without a bearer.
//
// The API's resource, at [APIPath], is this server's own, made for tests and demos; it is not B2Trader's, and
// nothing about B2Trader's API follows from it. It answers 401 to anything but a live access token.
//
// # Faults and the record
//
// ExpireTokens, RevokeRefreshTokens, ExpireBearers and EndSession change the server under its
// clients. Inject, Count, Requests and more are those of package apitest.
package b2coretest
