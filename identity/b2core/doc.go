// Package b2core gets tokens of B2Trader from B2Core: for a user who is signed in to B2Core, it obtains a pair of access and refresh
// tokens of a trading platform behind it, and renews them.
//
// # Use
//
// B2Core's own access token, the bearer, is asked for before each request, from whoever keeps the B2Core session alive. How
// such a session comes about is not this package's. A [Client] serves one platform, and the sessions that its source of bearers
// tells apart.
//
//	client, err := b2core.New(b2core.Config{
//		URL: "https://my.broker.example", Bearer: bearer, // a tokenapi.Source, or StaticBearer(token)
//		CountryCode: "+995", CountryName: "Georgia",
//		Hosts: []string{"https://trader.example.com"}, // if answers name another than URL's
//	})
//	token, err := client.SignIn(ctx)
//
// Access tokens live 60 seconds in the page's sample. So let package vault renew them: the Client is what it calls a
// Refresher.
//
// # The chain
//
// With the B2Core session in the vault too, one http.Client calls B2Trader's API for as long as that session lives. Each of the two
// tokens is renewed when it is due, and when it is refused before its time:
//
//	var v *vault.Vault // made below, of clients that ask it for the bearer
//	trader, err := b2core.New(b2core.Config{
//		URL: "https://my.broker.example",
//		Bearer: func(ctx context.Context, refused *oauth2.Token) (*oauth2.Token, error) {
//			return v.Source("session")(ctx, refused)
//		},
//	})
//	v, err = vault.New(vault.Config{
//		Store: store, Keys: keys, // and what renews the B2Core session
//		Refreshers: map[string]vault.Refresher{"b2core": session, "b2trader": trader},
//	})
//	err = v.Put(ctx, "session", vault.Entry{Owner: user, Client: "b2core", Token: bearer, Until: end})
//	err = v.Put(ctx, "b2trader", vault.Entry{Owner: user, Client: "b2trader", Token: trader.FirstToken(), Until: end})
//	api := &http.Client{Transport: &vault.Transport{Vault: v, Key: "b2trader"}}
//
// One client serves many users if Bearer finds each one's session by the entry that the token is for:
//
//	Bearer: func(ctx context.Context, refused *oauth2.Token) (*oauth2.Token, error) {
//		user := strings.TrimPrefix(vault.EntryKey(ctx), "b2trader/")
//		return v.Source("session/"+user)(ctx, refused)
//	},
//
// When the session has ended, which the error of Bearer says by a method GrantRefused, the entry of B2Trader ends at its next
// renewal, with [tokenapi.ErrNotSignedIn].
//
// # Where the host is
//
// Each answer names a host, "the URL to which the request … was sent", in the sample a bare http://example.com. Nothing here
// sends a token there. It is checked all the same, for those who do: it must be of the origin of Config.URL or of one
// of Config.Hosts, or else there is no token. The token then carries it as its extra "host". Package vault does not keep
// that extra.
//
// # Where the facts come from
//
// The page "Trading platforms" of B2Core's REST API reference: both requests, both answers, no error. The statuses of errors
// in general are from the overview of the same reference, the shape {"error":{"message":…,"details":[{"issue":…}]}} from B2Core's
// TypeScript client.
//
// # What is not known
//
//   - What the two endpoints answer when they refuse; see Errors for what is made of it.
//   - How long a refresh token lives. "The maximum time the tokens are valid" is the ttl, 60 in the sample, but the claims
//     of the sample's tokens say 10 hours. The ttl is taken for the access token's life, the claims are not read, and a refresh token
//     is used until it is refused.
//   - Whether a refresh token works twice. It is sent once for each renewal.
//   - What a Geo-Country-Code may be. The sample is a dial code, not one of ISO 3166.
//   - Whether the ttl is always a string. A number is accepted too.
//
// # Deviations
//
// On the wire, the requests differ from the page's in these points and no others.
//
//	D1 refresh: Content-Type is application/json; the page's command sends none, or rather curl's default, which is a form's
//	D2 refresh: the JSON is without white space
//	D3 both: Accept: application/json
//	D4 both: Accept-Encoding and User-Agent are this client's, and Content-Length: 0 stands where there is no body
//	D5 auth: the country's headers are sent only if they are configured
//
// # Errors
//
// Every error is a *[tokenapi.Error]. What B2Core's refusals mean, by their status:
//
//	auth      400, 422   ErrMisconfigured   the platformId or the country's headers: nothing else is sent
//	          401        ErrNotSignedIn     neither the bearer is good nor another, which Bearer was asked for
//	          403        ErrNotSignedIn     if it is JSON; else something in front of B2Core keeps us out: ErrMisconfigured
//	          404, 405   ErrMisconfigured   the URL or the platformId
//	refresh   400, 401, 403, 404, 422       any of them may be about the refresh token: the client signs in again
//	both      a host that is not expected   ErrUnusableAnswer, which names it: add it to Hosts if it is right
//	          408, 429, 5xx                 ErrUnavailable
//	          others     ErrUnusableAnswer
//
// A page of HTML with 401 is a gateway's: ErrUnavailable. When signing in again fails, its error is the one returned: it tells a
// refused refresh token from a bearer or a platformId that is no good. An error of Bearer is ErrNotSignedIn if it says
// GrantRefused, else ErrUnavailable with ErrNoBearer; a bearer that cannot stand in a header is ErrMisconfigured.
package b2core
