package e2e

import (
	"net/http"
	"testing"
	"time"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/identitytest"
)

// broken is a sign-in that something is wrong with.
type broken struct {
	reason   string
	endpoint identitytest.Endpoint
	fault    identitytest.Fault
	status   int
	says     string
	noToken  bool // the token endpoint is not asked
}

// A sign-in whose answers are refusals or nonsense ends on a page that says so,
// without a session, and the next one works.
func TestBrokenSignIn(t *testing.T) {
	t.Parallel()
	const refused, untrusted, down = "The IdentityServer refused this sign-in", "cannot be trusted", "cannot be reached"
	token, authorize, signIn := identitytest.EndpointToken, identitytest.EndpointAuthorize, identitytest.EndpointSignIn
	for name, test := range map[string]broken{
		"refused authorize":     {"an error at the redirect URI", authorize, identitytest.Fault{ErrorCode: "access_denied"}, 403, refused, true}, // req 10
		"unauthorized":          {"not signed in", authorize, identitytest.Fault{Redirect: "/identity/unauthorized"}, 403, refused, true},
		"redirect elsewhere":    {"a code sent to a stranger", authorize, identitytest.Fault{Redirect: "https://evil.example/?code=1"}, 403, refused, true},
		"client not allowed":    {"unauthorized_client", authorize, identitytest.Fault{ErrorCode: "unauthorized_client"}, 500, "not set up correctly", true},
		"tampered state":        {"another state", authorize, identitytest.Fault{WrongState: true}, 502, untrusted, true}, // req 3
		"no state":              {"an answer without state", authorize, identitytest.Fault{NoState: true}, 502, untrusted, true},
		"authorize 500":         {"a fault of the server", authorize, identitytest.Fault{Status: 500}, 503, down, true},
		"sign-in 500":           {"a fault of the server", signIn, identitytest.Fault{Status: 500}, 503, down, true},
		"sign-in 429":           {"too many requests at the server", signIn, identitytest.Fault{Status: 429, RetryAfter: "17"}, 503, down, true},
		"sign-in is nonsense":   {"HTML instead of JSON", signIn, identitytest.Fault{Body: []byte("<html>hello</html>"), ContentType: "text/html"}, 502, untrusted, true},
		"sign-in is empty JSON": {"neither account nor second factor", signIn, identitytest.Fault{Body: []byte("{}")}, 502, untrusted, true},
		"sign-in is oversized":  {"more than a client reads", signIn, identitytest.Fault{Oversized: true}, 502, untrusted, true}, // req 20
		"token 500":             {"a fault of the server", token, identitytest.Fault{Status: 500}, 503, down, false},
		"token is nonsense":     {"not JSON", token, identitytest.Fault{Body: []byte("nonsense")}, 502, untrusted, false},
		"token is HTML":         {"the right JSON under the wrong type", token, identitytest.Fault{ContentType: "text/html"}, 502, untrusted, false}, // req 20
		"token is oversized":    {"more than a client reads", token, identitytest.Fault{Oversized: true}, 502, untrusted, false},
		"answer lost":           {"cut before the answer", token, identitytest.Fault{LoseAnswer: true}, 503, down, false}, // req 19
		"invalid client":        {"the secret is not the server's", token, identitytest.Fault{Status: 400, Body: []byte(`{"error":"invalid_client"}`)}, 500, "not set up correctly", false},
		"wrong issuer":          {"iss", token, identitytest.Fault{IDToken: identitytest.WrongIssuer}, 502, untrusted, false},                    // req 24
		"missing subject":       {"sub", token, identitytest.Fault{IDToken: identitytest.MissingSubject}, 502, untrusted, false},                 // req 25
		"wrong audience":        {"aud", token, identitytest.Fault{IDToken: identitytest.WrongAudience}, 502, untrusted, false},                  // req 26
		"wrong nonce":           {"nonce", token, identitytest.Fault{IDToken: identitytest.WrongNonce}, 502, untrusted, false},                   // req 4
		"unsigned":              {"alg none", token, identitytest.Fault{IDToken: identitytest.AlgNone}, 502, untrusted, false},                   // req 33
		"bad signature":         {"signature", token, identitytest.Fault{IDToken: identitytest.BadSignature}, 502, untrusted, false},             // req 34
		"expired ID token":      {"exp", token, identitytest.Fault{IDToken: identitytest.Expired}, 502, untrusted, false},                        // req 37
		"access token as ID":    {"another token", token, identitytest.Fault{IDToken: identitytest.AccessTokenAsIDToken}, 502, untrusted, false}, // req 38
		"no ID token":           {"nothing to verify", token, identitytest.Fault{IDToken: identitytest.NoIDToken}, 502, untrusted, false},
		"discovery 500":         {"no metadata", identitytest.EndpointDiscovery, identitytest.Fault{Status: 500}, 503, down, true},
		"discovery is nonsense": {"no metadata", identitytest.EndpointDiscovery, identitytest.Fault{Body: []byte("nonsense")}, 502, untrusted, true},
		"keys 500":              {"no keys to verify with", identitytest.EndpointKeys, identitytest.Fault{Status: 500, Times: -1}, 503, down, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testBroken(t, test)
		})
	}
}

func testBroken(t *testing.T, test broken) {
	w := newWorld(t, setup{})
	b := w.browser()
	w.provider.Inject(test.endpoint, test.fault)
	p := b.signIn(trader, "spa")
	p.want(test.status, "/sign-in", test.says)
	if test.noToken {
		w.wantCount(identitytest.EndpointToken, 0)
	} else {
		w.wantGrants("authorization_code", 1) // req 16: a code is not sent twice
	}
	if retry := p.header.Get("Retry-After"); (test.status == http.StatusServiceUnavailable) != (retry != "") {
		t.Errorf("Retry-After is %q", retry)
	}
	if id := p.header.Get("X-Request-Id"); id == "" || p.text("main code") != id { // req 125
		t.Errorf("the page names the request %q, the header %q", p.text("main code"), id)
	}
	b.open("/account").want(http.StatusOK, "/sign-in")
	w.provider.ClearFaults()
	w.clock.advance(time.Minute) // and keys may be fetched again
	p.b.open("/sign-in").signIn(trader, "spa").want(http.StatusOK, "/account")
}

// The Retry-After of the server's own 429 is handed on.
func TestRetryAfterIsHandedOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	w.provider.Inject(identitytest.EndpointSignIn, identitytest.Fault{Status: 429, RetryAfter: "17"})
	if got := w.browser().signIn(trader, "spa").header.Get("Retry-After"); got != "17" {
		t.Errorf("Retry-After is %q, want 17", got)
	}
}

// A code that has expired when it is exchanged is refused, and the page says what to do.
func TestExpiredCode(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{provider: func(c *identitytest.Config) { c.AuthorizationCodeLifetime = time.Minute }})
	b := w.browser()
	exchange := w.provider.holdToken()
	form := b.open("/sign-in").filled("/sign-in", "Sign in", "email", trader, "password", passwords[trader], "client", "spa")
	answer := make(chan *page, 1)
	go func() {
		p, err := b.try(form)
		if err != nil {
			t.Error(err)
		}
		answer <- p
	}()
	receive(t, exchange.arrived, "the code at the token endpoint")
	w.clock.advance(2 * time.Minute)
	exchange.release()
	receive(t, answer, "the answer").want(http.StatusForbidden, "/sign-in", "took too long").
		follow("Sign in").signIn(trader, "spa").want(http.StatusOK, "/account")
}

// A server that is down, and one that is slow, give the same advice, in bounded time.
func TestServerDown(t *testing.T) {
	t.Parallel()
	eachClient(t, func(t *testing.T, email, client string) {
		w := newWorld(t, setup{})
		b := w.browser()
		p := b.open("/sign-in")
		w.provider.stop()
		p = p.signIn(email, client)
		p.want(http.StatusServiceUnavailable, "/sign-in", "cannot be reached", "Nothing is wrong with your password")
		if p.header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
		p.follow("Try again").want(http.StatusOK, "/sign-in")
	})
}

func TestServerSlow(t *testing.T) {
	t.Parallel()
	for _, endpoint := range []identitytest.Endpoint{identitytest.EndpointSignIn, identitytest.EndpointAuthorize, identitytest.EndpointToken} {
		t.Run(string(endpoint), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, setup{client: func(c *identity.Config) { c.Timeout = time.Second }})
			b := w.browser()
			w.provider.Inject(endpoint, identitytest.Fault{DelayBefore: time.Hour})
			b.signIn(trader, "spa").want(http.StatusServiceUnavailable, "/sign-in", "slower than it may be")
			b.signIn(trader, "spa").want(http.StatusOK, "/account")
		})
	}
}
