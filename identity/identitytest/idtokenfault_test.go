package identitytest_test

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"testing"

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

// Clients accept this one, so none of their tests sees whether it has the claim.
func TestMissingAccessTokenHash(t *testing.T) {
	b := start(t, identitytest.Config{})
	if hash, ok := claims(t, broken(t, b, identitytest.MissingAccessTokenHash).IDToken)["at_hash"]; ok {
		t.Errorf("at_hash = %v, want none", hash)
	}
}
