// Package traderevolution signs in to TraderEvolution's back office and renews
// its tokens. It speaks the Back Office REST API (BO REST API), not the Client
// or Trading API, which have other tokens.
//
// # Use
//
// A [Client] talks to one back office. Access tokens live minutes;
// [Client.Refresh] gets new ones. Renew in one place, because a refresh token may
// work only once. Package vault renews for every process that needs a token, and
// a [Client.Keeper] signs in again when a refresh token has expired or is
// refused: see its example.
//
// The back office may link to another site with a one-time token in the link.
// [Client.VerifyOTT] tells that site whose token it is.
//
// # Sources
//
// The page "Authentication process" of the vendor's guide to the BO REST API
// has the three endpoints, the names in a request, the Bearer scheme, and that
// the answer tells the lives of its tokens. It shows no JSON. The names in a
// token answer, the default lives and the error codes come from a working
// client of the API, which is public (dmikhailenko-hash/bo-mcp-plugin).
//
// # Unknown
//
//   - Where the refresh token goes. The page's workflow says into the body of
//     the GET request; its section on the request says into the header token.
//     This package sends the header, as the working client does.
//   - Whether a refresh token works twice. This package sends it once.
//   - What a verification answers. The page says "the response will contain the
//     user login" and "a new pair of tokens will be received"; that the response
//     "will indicate that the token is not valid" and that "standard errors are
//     returned". [Client.VerifyOTT] accepts all of these, and [OTT.Raw] returns
//     the rest.
//   - Whether a verification needs an access token. The page names none, so this
//     package sends none. If an installation wants one, add it by HTTP.Transport
//     of a second Client.
//   - The names in the body of an error, and the statuses of its codes. In an
//     answer that is no 2xx, every member with four numbers and dots between is
//     taken for the code. In a 2xx, only a member whose name contains code or
//     error, and the answer is then a refusal. An error may be text, which is
//     judged by its status. An HTML page comes from a gateway and is
//     ErrUnavailable, except with 404 and 405.
//
// # Deviations
//
// The requests differ from the page's in these points only:
//
//	D1 The JSON has no white space, and \u0026, \u003c and \u003e for &, < and >.
//	D2 The header token is spelt Token: letter case means nothing (RFC 9110 section 5.1).
//	D3 Accept, Accept-Encoding, Connection and User-Agent are this client's.
//
// # Errors
//
// Every error is a [*tokenapi.Error] with the server's dotted code. No error
// and no printed value of this package shows a password or a token; do not
// print an *oauth2.Token.
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
// A code counts more than the status. A refresh request carries only the
// refresh token, so a 400 or 406 refuses that token, and signing in again
// helps. A 404 with a code comes from the API; any other 404 is a wrong path.
package traderevolution
