package identity_test

import (
	"net/http"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/tokenapi"
)

// refusedIDTokens are invalid ID tokens with a part of the error. Most are
// the OpenID Foundation's conformance modules for relying parties.
var refusedIDTokens = []struct {
	fault identitytest.IDTokenFault
	says  string
}{
	{identitytest.WrongIssuer, "issued by a different provider"}, // req 24
	{identitytest.MissingSubject, "no sub"},                      // req 25
	{identitytest.WrongAudience, "audience"},                     // req 26
	{identitytest.ExtraAudience, "audiences other than spa"},     // req 27
	{identitytest.WrongAuthorizedParty, "azp"},                   // req 27
	{identitytest.MissingAudience, "audience"},                   // req 28
	{identitytest.MissingIssuedAt, "no iat"},                     // req 29
	{identitytest.MissingExpiry, "no exp"},                       // req 37
	{identitytest.AlgNone, "accepted algorithm"},                 // req 33
	{identitytest.BadSignature, "signature is invalid"},          // req 34
	{identitytest.UnpublishedKey, "signature is invalid"},        // req 31
	{identitytest.BadES256, "accepted algorithm"},                // req 35
	{identitytest.HS256WithPublicKey, "accepted algorithm"},      // req 35
	{identitytest.EmbeddedKey, "signature is invalid"},           // req 36
	{identitytest.Expired, "expired"},                            // req 37
	{identitytest.NotYetValid, "not valid yet"},                  // req 37
	{identitytest.AccessTokenAsIDToken, "audience"},              // req 38
	{identitytest.WrongAccessTokenHash, "at_hash"},               // req 44
	{identitytest.WrongNonce, "nonce"},                           // req 4
	{identitytest.MissingNonce, "nonce"},                         // req 4
	{identitytest.NoIDToken, "no ID token"},                      // OIDC Core section 3.1.3.3
}

func TestIDTokensThatAreRefused(t *testing.T) {
	for _, c := range refusedIDTokens {
		t.Run(string(c.fault), func(t *testing.T) {
			srv, client := start(t)
			srv.Inject(identitytest.EndpointToken, identitytest.Fault{IDToken: c.fault})
			token, err := client.Login(t.Context(), email, password)
			e := wantError(t, err, tokenapi.ErrUnusableAnswer)
			if token != nil || !contains(e.Description, c.says) || e.Op != "retrieve token" {
				t.Errorf("Login = %v, want an error with %q", err, c.says)
			}
			// The fault was used up: the same client signs in to the healthy
			// server. req 132: it failed closed, and only once.
			if _, err := client.Login(t.Context(), email, password); err != nil {
				t.Errorf("Login without the fault = %v, want a token", err)
			}
		})
	}
}

func TestIDTokensThatAreAccepted(t *testing.T) {
	for name, config := range map[string]identitytest.Config{
		"no kid, one key (req 30), RS256 (req 32)": {},
		"kid":                           {KeyID: true},
		"internal issuer (req 7)":       {Issuer: identitytest.InternalIssuer},
		"no at_hash, which is optional": {},
	} {
		t.Run(name, func(t *testing.T) {
			srv := identitytest.Start(t, config)
			if contains(name, "at_hash") {
				srv.Inject(identitytest.EndpointToken, identitytest.Fault{IDToken: identitytest.MissingAccessTokenHash})
			}
			login(t, newClient(t, srv, identity.ClientSPA, func(c *identity.Config) { c.Issuer = config.Issuer }))
		})
	}
}

// req 35: an algorithm is accepted because it was configured, not because a
// token names it.
func TestAlgorithmsAreAnAllowList(t *testing.T) {
	_, client := start(t, func(c *identity.Config) { c.SigningAlgorithms = []string{"ES256"} })
	_, err := client.Login(t.Context(), email, password)
	wantError(t, err, tokenapi.ErrUnusableAnswer)
}

// req 37: the clock is the configured one, and the skew its bound in both
// directions.
func TestClockSkew(t *testing.T) {
	for _, c := range []struct {
		ahead time.Duration // of our clock
		ok    bool
	}{
		{0, true},
		{-29 * time.Second, true}, {-32 * time.Second, false}, // nbf and iat: now
		{328 * time.Second, true}, {332 * time.Second, false}, // exp: in 300 s
	} {
		_, client := start(t, func(config *identity.Config) {
			config.HTTP.Now = func() time.Time { return time.Now().Add(c.ahead) }
			config.HTTP.Transport = withoutDate{http.DefaultTransport} // or the client reckons by the server's clock
		})
		if _, err := client.Login(t.Context(), email, password); (err == nil) != c.ok {
			t.Errorf("Login with a clock %v ahead = %v, want success %v", c.ahead, err, c.ok)
		}
	}
}

func TestVerifyIDToken(t *testing.T) {
	_, client := start(t)
	token := login(t, client)
	id, err := client.VerifyIDToken(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	if id.Subject != "10e3bfcf-56f7-421d-84ea-1700209ae121" {
		t.Errorf("got the subject %q, want the sample user's", id.Subject)
	}
	_, err = client.VerifyIDToken(t.Context(), &oauth2.Token{AccessToken: "a"})
	wantError(t, err, tokenapi.ErrUnusableAnswer)

	mixed := (&oauth2.Token{AccessToken: "another"}).WithExtra(map[string]any{"id_token": extra(token, "id_token")})
	_, err = client.VerifyIDToken(t.Context(), mixed) // the at_hash is of the other access token
	wantError(t, err, tokenapi.ErrUnusableAnswer)

	for _, garbage := range []string{"x", "a.b.c", extra(token, "id_token") + "x", token.RefreshToken} {
		_, err = client.VerifyIDToken(t.Context(), token.WithExtra(map[string]any{"id_token": garbage}))
		e := wantError(t, err, tokenapi.ErrUnusableAnswer)
		if len(garbage) > 9 && contains(e.Error(), garbage) {
			t.Errorf("got %v, want an error without the token", e)
		}
	}
}

func FuzzVerifyIDToken(f *testing.F) {
	_, client := start(f)
	good := extra(login(f, client), "id_token")
	for _, seed := range []string{"", ".", "..", "a.b.c", good, good + ".", "eyJhbGciOiJub25lIn0.e30.", "eyJ0eXAiOiJhdCtqd3QifQ.e30.x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		token := (&oauth2.Token{}).WithExtra(map[string]any{"id_token": raw})
		if id, err := client.VerifyIDToken(t.Context(), token); err == nil || id != nil {
			t.Errorf("VerifyIDToken(%q) succeeded, want an error", raw) // also for the good one: its at_hash is of another token
		}
	})
}

// field 10: a call without a token is an error, as is a token signed by an
// algorithm that is not accepted, which the error names with the cure.
func TestVerifyIDTokenNamesTheCure(t *testing.T) {
	_, client := start(t)
	_, err := client.VerifyIDToken(t.Context(), nil)
	wantError(t, err, tokenapi.ErrUnusableAnswer)
	token := login(t, client)
	_, err = client.VerifyIDToken(t.Context(), token.WithExtra(map[string]any{"id_token": "eyJhbGciOiJQUzI1NiJ9.e30.AAAA"}))
	if e := wantError(t, err, tokenapi.ErrUnusableAnswer); !contains(e.Description, `"PS256"`) || !contains(e.Description, "Config.SigningAlgorithms") || !contains(e.Description, "RS256") {
		t.Errorf("VerifyIDToken of a PS256 token = %v, want the algorithm, Config.SigningAlgorithms and the announced RS256 named", err)
	}
	_, err = client.VerifyIDToken(t.Context(), token.WithExtra(map[string]any{"id_token": "a.b.c.d.e"}))
	if e := wantError(t, err, tokenapi.ErrUnusableAnswer); !contains(e.Description, "encrypted") {
		t.Errorf("VerifyIDToken of a JWE = %v, want that it is encrypted", err)
	}
}

// field 55: a logout token never passes as an ID token, even without a typ.
func TestLogoutTokenIsNoIDToken(t *testing.T) {
	srv, client := start(t)
	token := login(t, client)
	raw := srv.SignLogoutToken(identitytest.LogoutToken{Issuer: client.Issuer(), Client: client.ID(), Subject: "subject"})
	_, err := client.VerifyIDToken(t.Context(), token.WithExtra(map[string]any{"id_token": raw}))
	if e := wantError(t, err, tokenapi.ErrUnusableAnswer); !contains(e.Description, "logout token") {
		t.Errorf("VerifyIDToken of a logout token = %v, want that it is one", err)
	}
}
