// Package traderevolution signs in to TraderEvolution's back office and keeps what it gets alive. It speaks the Back Office
// REST API (BO REST API), not the Client or Trading API, whose tokens are others.
//
// # Use
//
// A [Client] talks to one back office.
//
//	client, err := traderevolution.New(traderevolution.Config{URL: "https://sandbox.traderevolution.com:8443/proftrading/rest"})
//	token, err := client.SignIn(ctx, login, password)
//	token.SetAuthHeader(request) // Authorization: Bearer …
//
// Access tokens live minutes, and a new pair comes from [Client.Refresh]. Do not call it from several places: whether a
// refresh token works twice is not known. Package vault calls it once for every process that needs a token, and a
// [Client.Keeper] signs in again where that is needed:
//
//	keeper, err := client.Keeper(tokenapi.Account{Login: login, Password: readPassword})
//	tokens, err := vault.New(vault.Config{…, Refreshers: map[string]vault.Refresher{"backoffice": keeper}})
//
// [Client.VerifyOTT] tells a site that the back office links to whose one-time token it was called with.
//
// # Where the facts come from
//
// From the vendor's guide to the BO REST API, page "Authentication process": the three endpoints, the names that a request
// has, the Bearer scheme, and that the answer says how long its tokens live. The page shows no JSON. The names in a token
// answer, its lifetimes when it does not tell them, and the error codes are those of a working client of the API, which is
// public (dmikhailenko-hash/bo-mcp-plugin).
//
// # What is not known
//
//   - Where the refresh token goes. The page's workflow says into the body of the GET request, its section on the request
//     and the table there say into the header token. This package sends the header, as the working client does.
//   - Whether a refresh token works twice. It is sent once.
//   - What a verification answers. The page says "the response will contain the user login" and "a new pair of tokens will
//     be received"; that the response "will indicate that the token is not valid" and that "standard errors are returned".
//     [Client.VerifyOTT] takes any of it, and [OTT.Raw] is for what it does not know.
//   - Whether a verification needs an access token. The page names none, so none is sent; where an installation wants one,
//     HTTP.Transport of a Client of its own can add it.
//   - The names in the body of an error, and the statuses that go with its codes. Of an answer that says no, any member that
//     holds four numbers with dots between is taken for the code; of one that says yes, such a member whose name has code or error in
//     it, and the answer for a refusal. An error that is not JSON is judged by its status, unless it is a page of HTML, which is
//     a gateway's (ErrUnavailable).
//
// # Deviations
//
// The requests are those of the page, but for these points.
//
//	D1 the JSON has no white space, and \u0026, \u003c and \u003e for &, < and >
//	D2 the header of the refresh token is spelt Token: letter case means nothing (RFC 9110 section 5.1)
//	D3 Accept, Accept-Encoding, Connection and User-Agent are this client's
//
// # Errors
//
// Every error is a [*tokenapi.Error], with the server's dotted code. Neither an error nor any printed value of this package
// shows a password or a token. *oauth2.Token is not this package's: do not print it.
//
//	                              SignIn              Refresh             VerifyOTT
//	1.2.0.11  login or password   ErrBadCredentials   ErrGrantRefused     not valid, if 4xx
//	2.0.2.4   no REST API access  ErrMisconfigured    ErrMisconfigured    ErrMisconfigured
//	2.147.1.27  too many          ErrUnavailable      ErrUnavailable      ErrUnavailable
//	401, 403                      ErrBadCredentials   ErrGrantRefused     not valid
//	400, 406                      ErrMisconfigured    ErrGrantRefused     not valid
//	404 with a dotted code        ErrBadCredentials   ErrGrantRefused     not valid
//	404 without, 405              ErrMisconfigured    ErrMisconfigured    ErrMisconfigured
//	408, 429, 5xx                 ErrUnavailable      ErrUnavailable      ErrUnavailable
//	any other 4xx                 ErrUnusableAnswer   ErrUnusableAnswer   not valid
//	anything else                 ErrUnusableAnswer   ErrUnusableAnswer   ErrUnusableAnswer
//
// A code comes before the status. A request to refresh carries nothing but the refresh token, so what the server does not
// accept of it (400, 406) is that token, and signing in again is the cure. A 404 that comes with a code was written by the
// API, of what it was asked for; any other is of a path that is not there.
package traderevolution
