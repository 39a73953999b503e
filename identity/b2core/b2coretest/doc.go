// Package b2coretest is a B2Core for tests and demos: it gives tokens of
// B2Trader to the user of a B2Core session and renews them, as the page
// "Trading platforms" of B2Core's REST API reference describes, and fails on
// command. It is a plain http.Handler, keeps its state in memory and answers on
// loopback only.
//
// # Use
//
// In a test, one line runs a server until the test ends:
//
//	server := b2coretest.Start(t, b2coretest.Config{})
//	client, err := b2core.New(b2core.Config{URL: server.URL(), Bearer: server.Bearer})
//
// Package apitest tells how to run it in a program or without a socket, and how
// to inject faults.
//
// # Endpoints
//
//	GET  /api/v2/my/signin/wizard                   a uuid, and whether reCAPTCHA is on
//	POST /api/v2/my/signin                          the e-mail address and the password
//	POST /api/v2/my/signin/2fa                      the choice of one of several second factors
//	POST /api/v2/my/2fa/{provider}                  the one-time code, SampleCode
//	POST /api/v2/my/refresh                         tokens of a B2Core session
//	POST /api/v2/my/signout                         ends the session of the bearer
//	GET  /api/v2/my/platforms                       the platforms
//	POST /api/v2/my/platforms/{platformId}/auth     tokens for the bearer of a B2Core session
//	POST /api/v2/my/platforms/{platformId}/refresh  tokens for that bearer and a refresh token
//	GET  /frontoffice/api/v3/account                an API that accepts the tokens
//
// Each sign-in begins a B2Core session. [Server.Bearer] returns the access tokens
// of one more, which has no user and lives until EndSession. The resource at
// [APIPath] is this server's own, not B2Trader's.
//
// Tokens have the claims of the page's sample: sub, iat, exp and iss, where exp
// is ten hours ahead although the ttl is 60 seconds. The server obeys the ttl.
// No client can verify a token.
//
// # Unknown
//
// The page does not tell these facts. This server decides:
//
//   - a refused password or code gets 422, or Config.SignInFailureStatus;
//   - a sign-in needs no cookie, unless Config.RequireCookies is set;
//   - a refresh of a B2Core session replaces the refresh token, unless
//     Config.KeepSessionRefreshToken is set. One public client is made for both;
//   - the second factors are a list of names, as tfaProviders;
//   - a blocked sign-in gets 429;
//   - a refresh token of B2Trader lives 10 hours, which is exp - iat of the sample, or
//     Config.RefreshTokenLifetime;
//   - a refresh token works once, unless Config.ReuseRefreshTokens is set;
//   - a refused refresh token gets 401, as a bearer does, or
//     Config.RefreshFailureStatus;
//   - an error's body is {"error":{"message":…}}, as B2Core's TypeScript client
//     reads it elsewhere;
//   - an unknown platform gets 404, after the bearer was checked;
//   - the country's headers may hold anything;
//   - when the B2Core session ends, access tokens live on until they expire;
//     refresh tokens need a bearer.
package b2coretest
