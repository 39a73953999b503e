// Package traderevolutiontest is a TraderEvolution back office for tests: the
// part of its REST API (BO REST API) that gives tokens, renews them and verifies
// one-time tokens, and that fails on command. It is a plain http.Handler, keeps
// its state in memory and answers on loopback only.
//
// # Use
//
// In a test, one line runs a server until the test ends:
//
//	server := traderevolutiontest.Start(t, traderevolutiontest.Config{})
//	client, err := traderevolution.New(traderevolution.Config{URL: server.BaseURL()})
//
// Package apitest tells how to run it in a program or without a socket, and how
// to inject faults.
//
// # Endpoints
//
//	POST {prefix}/auth/token             {"login", "password"}: an access and a refresh token
//	GET  {prefix}/auth/token/refresh     the refresh token in the header token: new tokens
//	POST {prefix}/external/token/verify  {"token"}: the user of a one-time token, once
//	GET  {prefix}/accounts               a resource for a live access token, this server's own
//
// The prefix is /proftrading/rest, as on the vendor's sandbox, or Config.Prefix.
// The server has one user, [SampleLogin] with [SamplePassword].
// [Server.IssueOTT] makes one-time tokens, which a real server puts into links
// to other sites. Tokens are hexadecimal digits; no client may rely on that.
//
// # Unknown
//
// The vendor's page shows no JSON. This server decides:
//
//   - a token answer has accessToken, refreshToken, accessTokenLifeTime and
//     refreshTokenLifeTime, in seconds, as a working client reads them;
//   - a refresh token works once, unless Config.ReuseRefreshTokens is set;
//   - a refusal is {"errorCode", "message"} with 401 if a credential is not
//     accepted, and 400 if the request cannot be read. Only a wrong login or
//     password has a code, 1.2.0.11;
//   - a verification answers in one of four ways, see [OTTAnswer].
package traderevolutiontest
