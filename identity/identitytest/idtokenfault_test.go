package identitytest_test

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"b2trader.identity.auth/identity/identitytest"
)

// broken returns the token answer of a sign-in with that fault.
func broken(t *testing.T, b *browser, fault identitytest.IDTokenFault) tokens {
	t.Helper()
	b.server.Inject(identitytest.EndpointToken, identitytest.Fault{IDToken: fault})
	return b.login("trader@example.com", "spa")
}

func (b *browser) publicKey() *rsa.PublicKey {
	b.t.Helper()
	set := decode[jose.JSONWebKeySet](b.t, b.get(keysPath).body)
	return set.Keys[0].Key.(*rsa.PublicKey)
}

// verifies reports whether the published key signed the token.
func (b *browser) verifies(token string) bool {
	b.t.Helper()
	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return false
	}
	_, err = signed.Verify(b.publicKey())
	return err == nil
}

// Each of these tokens has a valid signature and differs from a good one in the
// named claims.
func TestIDTokensWithBadClaims(t *testing.T) {
	b := start(t, identitytest.Config{})
	for fault, change := range map[identitytest.IDTokenFault]map[string]any{ // nil: the claim is missing
		identitytest.WrongIssuer:            {"iss": "https://another.example/identity"},
		identitytest.MissingSubject:         {"sub": nil},
		identitytest.OtherSubject:           {"sub": "00000000-0000-4000-8000-000000000000"},
		identitytest.WrongAudience:          {"aud": "another-client"},
		identitytest.ExtraAudience:          {"aud": []any{"spa", "another-client"}},
		identitytest.WrongAuthorizedParty:   {"azp": "another-client"},
		identitytest.MissingAudience:        {"aud": nil},
		identitytest.MissingIssuedAt:        {"iat": nil},
		identitytest.MissingExpiry:          {"exp": nil},
		identitytest.WrongNonce:             {"nonce": "another-nonce"},
		identitytest.MissingNonce:           {"nonce": nil},
		identitytest.MissingAccessTokenHash: {"at_hash": nil},
	} {
		t.Run(string(fault), func(t *testing.T) {
			token := broken(t, b, fault).IDToken
			wantEqual(t, "well signed", b.verifies(token), true)
			got := claims(t, token)
			for name, want := range change {
				value, present := got[name]
				if present != (want != nil) || !reflect.DeepEqual(value, want) {
					t.Errorf("%s is %v", name, value)
				}
			}
			for _, name := range []string{"nbf", "exp", "iss", "aud", "nonce", "iat", "at_hash", "sub", "auth_time"} {
				if _, changed := change[name]; !changed && got[name] == nil {
					t.Errorf("%s is missing too", name)
				}
			}
		})
	}
}

func TestIDTokensOfOtherTimes(t *testing.T) {
	b := start(t, identitytest.Config{})
	now := float64(time.Now().Unix())
	past := claims(t, broken(t, b, identitytest.Expired).IDToken)
	if exp := past["exp"].(float64); exp > now-50*60 || past["iat"].(float64) > exp {
		t.Errorf("Expired: iat %v, exp %v, now %v", past["iat"], exp, now)
	}
	future := claims(t, broken(t, b, identitytest.NotYetValid).IDToken)
	if nbf := future["nbf"].(float64); nbf < now+50*60 || future["exp"].(float64) < nbf || future["iat"].(float64) > now+60 {
		t.Errorf("NotYetValid: iat %v, nbf %v, exp %v, now %v", future["iat"], nbf, future["exp"], now)
	}
	wrong := broken(t, b, identitytest.WrongAccessTokenHash)
	good := b.login("trader@example.com", "spa")
	if len(claims(t, wrong.IDToken)["at_hash"].(string)) != len(claims(t, good.IDToken)["at_hash"].(string)) {
		t.Error("WrongAccessTokenHash has another length")
	}
}

func TestIDTokensWithBadSignatures(t *testing.T) {
	b := start(t, identitytest.Config{})
	for fault, header := range map[identitytest.IDTokenFault]string{
		identitytest.AlgNone:            `{"alg":"none","typ":"JWT"}`,
		identitytest.BadSignature:       `{"alg":"RS256","typ":"JWT"}`,
		identitytest.BadES256:           `{"alg":"ES256","typ":"JWT"}`,
		identitytest.HS256WithPublicKey: `{"alg":"HS256","typ":"JWT"}`,
		identitytest.UnpublishedKey:     `{"alg":"RS256","typ":"JWT"}`,
		identitytest.EmbeddedKey:        `{"alg":"RS256","jwk":`,
	} {
		t.Run(string(fault), func(t *testing.T) {
			token := broken(t, b, fault).IDToken
			if got := jwtPart(t, token, 0); !strings.HasPrefix(got, header) {
				t.Errorf("header is %s", got)
			}
			wantEqual(t, "well signed", b.verifies(token), false)
			wantEqual(t, "sub", claims(t, token)["sub"], any(traderID))
		})
	}
}

// The two attacks work against a client that trusts the header.
func TestForgedIDTokensFoolTheCareless(t *testing.T) {
	b := start(t, identitytest.Config{})
	der, err := x509.MarshalPKIXPublicKey(b.publicKey())
	if err != nil {
		t.Fatal(err)
	}
	secret := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	confused, err := jose.ParseSignedCompact(broken(t, b, identitytest.HS256WithPublicKey).IDToken, []jose.SignatureAlgorithm{jose.HS256})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := confused.Verify(secret); err != nil {
		t.Errorf("HS256WithPublicKey does not verify with the public key: %v", err)
	}
	embedded, err := jose.ParseSignedCompact(broken(t, b, identitytest.EmbeddedKey).IDToken, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := embedded.Verify(embedded.Signatures[0].Header.JSONWebKey); err != nil {
		t.Errorf("EmbeddedKey does not verify with its own key: %v", err)
	}
}

func TestIDTokensThatAreNone(t *testing.T) {
	b := start(t, identitytest.Config{})
	answer := broken(t, b, identitytest.AccessTokenAsIDToken)
	wantEqual(t, "the ID token is the access token", answer.IDToken, answer.AccessToken)
	b.server.Inject(identitytest.EndpointToken, identitytest.Fault{IDToken: identitytest.NoIDToken})
	b.signIn("trader@example.com")
	got := b.postForm(tokenPath, b.codeForm(b.code("spa")), basic("spa")...)
	if _, ok := decode[map[string]json.RawMessage](t, got.body)["id_token"]; ok {
		t.Error("NoIDToken left one")
	}
}
