// Package traderevolutiontest is a TraderEvolution back office for tests: the part of its REST API (BO REST API) that
// hands out tokens, renews them and verifies one-time tokens, and that misbehaves on command. It is a plain http.Handler,
// keeps everything in memory and answers on loopback only.
//
// # Starting one
//
// In a test, one line runs a server until the test ends:
//
//	server := traderevolutiontest.Start(t, traderevolutiontest.Config{})
//	client, err := traderevolution.New(traderevolution.Config{URL: server.BaseURL()})
//	token, err := client.SignIn(ctx, traderevolutiontest.SampleLogin, traderevolutiontest.SamplePassword)
//
// Inside a testing/synctest bubble, where sockets do not work, give the client the server's Transport and any URL that
// ends in the prefix.
//
// # What it speaks
//
//	POST {prefix}/auth/token             {"login", "password"}: a pair of tokens
//	GET  {prefix}/auth/token/refresh     the refresh token in the header token: a new pair
//	POST {prefix}/external/token/verify  {"token"}: whose one-time token it is, once
//	GET  {prefix}/accounts               for whoever has a live access token
//
// The prefix is /proftrading/rest, as on the vendor's sandbox, or Config.Prefix. There is one user, [SampleLogin] with [SamplePassword].
// One-time tokens, which a real server puts into its links to other sites, come from [Server.IssueOTT].
//
// # What is not known about the back office
//
// The vendor's page shows no JSON at all. Here is what stands in for what is documented nowhere:
//
//   - the answer of a token request: accessToken, refreshToken, accessTokenLifeTime and refreshTokenLifeTime, in seconds,
//     as a working client of the API reads them;
//   - whether a refresh token works twice: once, or Config.ReuseRefreshTokens;
//   - the body of a refusal, {"errorCode", "message"}, and its status: 401 for what is not accepted, 400 for a request
//     that cannot be read. The one code of the API that is known to belong here is 1.2.0.11, for a wrong login or
//     password; other refusals have no errorCode;
//   - the answer of a verification, of which the page says two things at once: see [OTTAnswer];
//   - the API's resource: [APIPath], and what it answers, are this server's own.
//
// Tokens are hexadecimal digits; no client may rely on that.
//
// # Faults and the record
//
// Inject makes an endpoint slow, silent, wrong, oversized or too busy; Requests and Count tell what was asked. They are
// those of [apitest.Server]. ExpireTokens and RevokeRefreshTokens change the server under its clients.
package traderevolutiontest
