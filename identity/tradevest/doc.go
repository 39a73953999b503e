// Package tradevest gets access tokens for Tradevest's partner API, and sends along what else the API wants of a call. A
// partner is an OAuth 2.0 client whose id and secret are its whole account: it gets tokens by the client credentials grant
// (RFC 6749 section 4.4), each for an hour, and another when that is over. There are no users and no refresh tokens.
//
// # Use
//
// A [Client] signs in. A Keeper made by it signs in again whenever a vault wants the next token. The vault's Transport adds the
// token to API calls, and the Client's Transport the Requestor-ID:
//
//	client, err := tradevest.New(tradevest.Config{ClientID: id, ClientSecret: readSecret, RequestorID: uuid})
//	keeper, err := client.Keeper()
//	tokens, err := vault.New(vault.Config{…, Refreshers: map[string]vault.Refresher{"tradevest": keeper}})
//	err = tokens.Put(ctx, "tradevest", vault.Entry{Client: "tradevest", Token: keeper.FirstToken(), Until: …})
//	api := &http.Client{Transport: client.Transport(&vault.Transport{Vault: tokens, Key: "tradevest"})}
//
// Processes that share the vault's store share one token. A program that needs but one token calls [Client.SignIn].
//
// The zero Config, credentials apart, is the vendor's page, whose host is the test platform. For the production platform, as the
// vendor's guide has it:
//
//	tradevest.Config{
//		URL:       "https://b2b.auth.platform-prod.tradevest.ai",
//		TokenPath: "/connect/token",
//		Scopes:    []string{"tradevest.api"},
//		…
//	}
//
// # Requestor-ID
//
// "To ensure auditability and regulatory compliance, most operations require you to identify the specific individual performing
// the action", says the guide. It is the UUID of a natural person, who must be active, and must be the customer that
// a change is for or a proxy of theirs (release notes of v.1.5.0). So Config.RequestorID serves programs that act for one
// person; where persons differ, each request brings its own header, which [Client.Transport] leaves alone. The token request needs
// none, nor does creating a natural person or a legal entity.
//
// # Where the facts come from
//
// The page is "Authorization" in the API reference at docs.tradevest.ai, with the OpenAPI description behind it: the path, the
// parameters, the answers with 200 and 400, the error codes, the default of expires_in. The guide is "Partner API
// Authentication" there, which is newer: another path, a scope, the production host, Requestor-ID.
//
// # What is not known
//
//   - Which of the two paths, and whether the scope, a platform wants: the page and the guide disagree about the same host.
//     The default is the page's, and the Config has both.
//   - When the server answers invalid_grant, for which this grant has no use, and whether it ever answers 401.
//   - Whether a token can end before its hour: when another is issued, or the secret is changed.
//   - How the API refuses a token that has ended. A vault's Transport gets another one after a 401.
//   - How often a partner may sign in. A Keeper does so once in 10 seconds at most.
//
// # Deviations
//
// The request of SignIn differs from the page's sample in these points and no others:
//
//   - The body has no quotes, neither round the values nor round the whole: it is
//     client_id=string&client_secret=string&grant_type=client_credentials. The quotes are an artefact of the page, whose
//     Content-Length does not fit either: it says 81 for 75 bytes, as if each inner quote were two. Ours has 67.
//   - Accept is not sent, which means the same as the sample's */* (RFC 9110 section 12.5.1).
//   - User-Agent and Accept-Encoding are net/http's.
//
// Values are form-encoded. If there are Config.Scopes, scope comes last.
//
// # Errors
//
// Every error of a Client's calls is a *tokenapi.Error, with the server's code in Code, and wraps one of tokenapi's variables:
//
//	invalid_client, invalid_grant                  ErrBadCredentials
//	401, with a body or without                    ErrBadCredentials; a page of HTML, which is a gateway's: ErrUnavailable
//	unauthorized_client, unsupported_grant_type    ErrMisconfigured
//	invalid_request, invalid_scope, 404, 405       ErrMisconfigured
//	Config.ClientSecret fails or has no secret     ErrMisconfigured, and nothing is sent
//	temporarily_unavailable, server_error          ErrUnavailable
//	no answer, 408, 429, 5xx                       ErrUnavailable
//	any other answer, redirects among them         ErrUnusableAnswer
//
// A code counts more than the status; the page has them all with 400, invalid_client too.
//
// In package identity invalid_client is ErrMisconfigured, for there the client is the program and the account is a user's: users
// cannot cure it and lose no session by it. Here the secret is the account. One that is refused must not be tried
// over and over, and ErrBadCredentials is what makes a Keeper pause until it is changed.
//
// Neither an error nor any printed value of this package shows the secret or a token. *oauth2.Token is not this package's: do
// not print it.
package tradevest
