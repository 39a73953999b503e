package main

import "b2trader.identity.auth/cmd/demo/showcase"

// The rows of the comparison on the page Platforms. docs/neighbours.md has the
// same table.
const (
	factSignIn  = "Signs in with"
	factSent    = "What is sent"
	factAccess  = "Access token"
	factRefresh = "Refresh token"
	factRefused = "When the refresh token is refused"
	factAdds    = "This client adds"
)

func facts(signIn, sent, access, refresh, refused, adds string) []showcase.Fact {
	return []showcase.Fact{
		{Name: factSignIn, Text: signIn}, {Name: factSent, Text: sent}, {Name: factAccess, Text: access},
		{Name: factRefresh, Text: refresh}, {Name: factRefused, Text: refused}, {Name: factAdds, Text: adds},
	}
}

func b2traderFacts() []showcase.Fact {
	return facts(
		"a machine's e-mail and password, and the client's secret (people: e-mail, password and a code with PKCE)",
		"a form; the client's secret by HTTP Basic",
		"30 seconds by default; the answer says it in expires_in",
		"works once; 30 days from the sign-in",
		"the machine signs in again (people: by the IdentityServer's session, if that is kept)",
		"the ID token verified, state compared, the client authenticated on refresh",
	)
}

func b2coreFacts() []showcase.Fact {
	return facts(
		"an e-mail address and a password at B2Core, or the token of a B2Core session; and the country",
		"a POST without a body; the refresh token as JSON",
		"60 seconds in the vendor's sample; the answer says it in ttl, as text or as a number",
		"comes with each answer; B2Core says neither how long it lives nor whether the old one still works",
		"a new pair, by the B2Core session's token",
		"no token where an answer names a host that is not expected, the session's token renewed in the same call",
	)
}

func traderEvolutionFacts() []showcase.Fact {
	return facts(
		"login and password",
		"JSON; the refresh token in a header named token, by GET",
		"set at the server; the answer says it in accessTokenLifeTime, and 5 minutes are assumed if it does not",
		"a new pair each time; the answer says its life in refreshTokenLifeTime, and 1 hour is assumed if it does not",
		"login and password again",
		"a GET that is sent once, one-time tokens never sent twice, dotted codes understood",
	)
}

func tradevestFacts() []showcase.Fact {
	return facts(
		"client id and secret (client credentials)",
		"a form, the secret in the body",
		"1 hour; the answer says it in expires_in",
		"none",
		"there is nothing to refuse: each renewal is a sign-in",
		"Requestor-ID on API calls, sign-ins spaced, a refused secret not tried again at once",
	)
}

func b2binpayFacts() []showcase.Fact {
	return facts(
		"login and password (the KEY and SECRET)",
		"JSON:API",
		"15 minutes in the vendor's sample; good for 30 to 40 requests",
		"works once; 6 hours",
		"login and password again",
		"the signature of the answer and of callbacks verified, times reckoned by the server's clock, at most 30 uses for each token, renewed from the 20th on",
	)
}
