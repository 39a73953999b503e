package identity_test

import (
	"testing"
	"time"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/tokenapi"
)

// order returns a valid logout token for client.
func order(client *identity.Client) identitytest.LogoutToken {
	return identitytest.LogoutToken{Issuer: client.Issuer(), Client: client.ID(), Subject: "subject", SessionID: "session"}
}

// refusedLogoutTokens are invalid logout tokens with a part of the error.
var refusedLogoutTokens = []struct {
	fault identitytest.LogoutTokenFault
	says  string
}{
	{identitytest.LogoutAlgNone, "accepted algorithm"},                  // req 114
	{identitytest.LogoutWrongAlg, "accepted algorithm"},                 // req 114
	{identitytest.LogoutWrongIssuer, "different provider"},              // req 114
	{identitytest.LogoutWrongAudience, "audience"},                      // req 114
	{identitytest.LogoutNoEvent, "missing required"},                    // req 114
	{identitytest.LogoutWrongEvent, "missing required"},                 // req 114
	{identitytest.LogoutWithNonce, "nonce"},                             // req 114
	{identitytest.LogoutNullNonce, "nonce"},                             // req 114
	{identitytest.LogoutEventNotObject, "event is not a JSON object"},   // section 2.4
	{identitytest.LogoutNullEvent, "event is not a JSON object"},        // section 2.4
	{identitytest.LogoutBadSignature, "signature is invalid"},           // section 2.6
	{identitytest.LogoutExtraAudience, "audiences other than spa"},      // section 2.6
	{identitytest.LogoutNobody, "'sub' claim, a 'sid' claim"},           // req 115
	{identitytest.LogoutExpired, "too old"},                             // req 115
	{identitytest.LogoutStale, "too old"},                               // req 115
	{identitytest.LogoutNotYet, "in the future"},                        // req 115
	{identitytest.LogoutNoExpiry, "'exp'"},                              // req 115
	{identitytest.LogoutNoIssuedAt, "no iat"},                           // req 115
	{identitytest.LogoutNoID, "'jti'"},                                  // req 116
	{identitytest.LogoutWrongType, "typ is not that of a logout token"}, // req 115
}

func TestLogoutTokensThatAreRefused(t *testing.T) {
	srv, client := start(t)
	for _, c := range refusedLogoutTokens {
		t.Run(string(c.fault), func(t *testing.T) {
			broken := order(client)
			broken.Fault = c.fault
			raw := srv.SignLogoutToken(broken)
			token, err := client.VerifyLogoutToken(t.Context(), raw)
			e := wantError(t, err, tokenapi.ErrUnusableAnswer)
			if token != nil || !contains(e.Description, c.says) || contains(e.Error(), raw) {
				t.Errorf("VerifyLogoutToken = %v, want an error with %q", err, c.says)
			}
		})
	}
}

func TestLogoutTokensThatAreAccepted(t *testing.T) {
	srv, client := start(t)
	for name, change := range map[string]func(*identitytest.LogoutToken){
		"sub and sid": func(*identitytest.LogoutToken) {},
		"sub alone":   func(o *identitytest.LogoutToken) { o.SessionID = "" },
		"sid alone":   func(o *identitytest.LogoutToken) { o.Subject = "" },
		"typed":       func(o *identitytest.LogoutToken) { o.Typed = true },
	} {
		good := order(client)
		good.ID = "an-id"
		change(&good)
		got, err := client.VerifyLogoutToken(t.Context(), srv.SignLogoutToken(good))
		if err != nil {
			t.Errorf("VerifyLogoutToken(%s) = %v, want nil", name, err)
			continue
		}
		if got.ID != "an-id" || got.Issuer != good.Issuer || got.Subject != good.Subject || got.SessionID != good.SessionID ||
			got.IssuedAt.IsZero() || !got.Expiry.After(time.Now().Add(time.Minute)) {
			t.Errorf("VerifyLogoutToken(%s) = %+v, want the claims of %+v", name, got, good)
		}
	}
}

// req 115: the type of older IdentityServers can be refused.
func TestLogoutTokenType(t *testing.T) {
	srv, client := start(t, func(c *identity.Config) { c.RequireLogoutTokenType = true })
	plain, typed := order(client), order(client)
	typed.Typed = true
	if _, err := client.VerifyLogoutToken(t.Context(), srv.SignLogoutToken(typed)); err != nil {
		t.Errorf("VerifyLogoutToken(typ logout+jwt) = %v, want nil", err)
	}
	_, err := client.VerifyLogoutToken(t.Context(), srv.SignLogoutToken(plain))
	wantError(t, err, tokenapi.ErrUnusableAnswer)
}

// An ID token and an access token are no logout tokens, and a logout token is
// no ID token.
func TestTokensAreNotConfused(t *testing.T) {
	srv, client := start(t)
	token := login(t, client)
	for _, raw := range []string{extra(token, "id_token"), token.AccessToken, token.RefreshToken, "", ".", "a.b.c"} {
		_, err := client.VerifyLogoutToken(t.Context(), raw)
		wantError(t, err, tokenapi.ErrUnusableAnswer)
	}
	_, err := client.VerifyIDToken(t.Context(), token.WithExtra(map[string]any{"id_token": srv.SignLogoutToken(identitytest.LogoutToken{
		Issuer: client.Issuer(), Client: client.ID(), Subject: "subject", Typed: true,
	})}))
	if e := wantError(t, err, tokenapi.ErrUnusableAnswer); !contains(e.Description, "typ") {
		t.Errorf("VerifyIDToken of a typed logout token = %v, want an error of the typ", err)
	}
}

// Unavailable keys do not make a token invalid.
func TestLogoutTokenWithoutKeys(t *testing.T) {
	srv, client := start(t)
	srv.Inject(identitytest.EndpointKeys, identitytest.Fault{LoseRequest: true, Times: -1})
	_, err := client.VerifyLogoutToken(t.Context(), srv.SignLogoutToken(order(client)))
	wantError(t, err, tokenapi.ErrUnavailable)
}

func FuzzVerifyLogoutToken(f *testing.F) {
	srv, client := start(f)
	good := srv.SignLogoutToken(order(client))
	for _, seed := range []string{"", ".", "a.b.c", good + "x", "eyJhbGciOiJub25lIn0.e30.", "eyJ0eXAiOiJsb2dvdXQrand0In0.e30.x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		if token, err := client.VerifyLogoutToken(t.Context(), raw); (err == nil || token != nil) && raw != good {
			t.Errorf("VerifyLogoutToken(%q) succeeded, want an error", raw)
		}
	})
}
