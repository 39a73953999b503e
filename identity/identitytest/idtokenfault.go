package identitytest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"time"

	"github.com/go-jose/go-jose/v4"

	"b2trader.identity.auth/identity/apitest"
)

// IDTokenFault names a way in which an ID token is broken. All but the ones
// about signatures have a valid signature.
type IDTokenFault string

// The broken ID tokens. Most are those of the OpenID Foundation's conformance
// tests for relying parties; section numbers are those of OpenID Connect Core
// 1.0.
const (
	// WrongIssuer has the iss of another server (3.1.3.7 rule 2).
	WrongIssuer IDTokenFault = "wrong-issuer"
	// MissingSubject has no sub (2).
	MissingSubject IDTokenFault = "missing-subject"
	// OtherSubject has the sub of another user.
	OtherSubject IDTokenFault = "other-subject"
	// WrongAudience has the aud of another client (3.1.3.7 rule 3).
	WrongAudience IDTokenFault = "wrong-audience"
	// ExtraAudience names a second audience that the client does not know, and
	// no azp (rule 3).
	ExtraAudience IDTokenFault = "extra-audience"
	// WrongAuthorizedParty has the azp of another client (rule 5).
	WrongAuthorizedParty IDTokenFault = "wrong-authorized-party"
	// MissingAudience has no aud (2).
	MissingAudience IDTokenFault = "missing-audience"
	// MissingIssuedAt has no iat (2).
	MissingIssuedAt IDTokenFault = "missing-issued-at"
	// MissingExpiry has no exp (2).
	MissingExpiry IDTokenFault = "missing-expiry"
	// Expired expired almost an hour ago (3.1.3.7 rule 9).
	Expired IDTokenFault = "expired"
	// NotYetValid is valid in an hour (RFC 7519 section 4.1.5).
	NotYetValid IDTokenFault = "not-yet-valid"
	// WrongNonce has another nonce (3.1.3.7 rule 11).
	WrongNonce IDTokenFault = "wrong-nonce"
	// MissingNonce has none, although the authorize request had one (rule 11).
	MissingNonce IDTokenFault = "missing-nonce"
	// WrongAccessTokenHash has an at_hash of another access token (3.1.3.8).
	WrongAccessTokenHash IDTokenFault = "wrong-access-token-hash"
	// MissingAccessTokenHash has no at_hash, which the code flow allows
	// (3.1.3.6).
	MissingAccessTokenHash IDTokenFault = "missing-access-token-hash"
	// AlgNone is not signed: its alg is none (RFC 8725 section 3.1).
	AlgNone IDTokenFault = "alg-none"
	// BadSignature is signed by the right key, then changed.
	BadSignature IDTokenFault = "bad-signature"
	// BadES256 is signed by an elliptic curve key that is not published.
	BadES256 IDTokenFault = "bad-es256"
	// HS256WithPublicKey uses the published key as a shared secret (RFC 8725
	// section 2.1).
	HS256WithPublicKey IDTokenFault = "hs256-with-public-key"
	// EmbeddedKey has the key that signed it in its jwk header.
	EmbeddedKey IDTokenFault = "embedded-key"
	// UnpublishedKey is signed by an RSA key that is not published.
	UnpublishedKey IDTokenFault = "unpublished-key"
	// AccessTokenAsIDToken is the access token.
	AccessTokenAsIDToken IDTokenFault = "access-token-as-id-token"
	// NoIDToken means that the answer has no ID token.
	NoIDToken IDTokenFault = "no-id-token"
)

// idTokenFaults are the functions that make the broken tokens.
var idTokenFaults = map[IDTokenFault]func(k *keyring, claims apitest.Object, access string, now time.Time) string{
	WrongIssuer:            changed(func(c *apitest.Object, _ time.Time) { c.Set("iss", "https://another.example/identity") }),
	MissingSubject:         without("sub"),
	OtherSubject:           changed(func(c *apitest.Object, _ time.Time) { c.Set("sub", "00000000-0000-4000-8000-000000000000") }),
	WrongAudience:          changed(func(c *apitest.Object, _ time.Time) { c.Set("aud", "another-client") }),
	ExtraAudience:          changed(func(c *apitest.Object, _ time.Time) { c.Set("aud", []any{c.Get("aud"), "another-client"}) }),
	WrongAuthorizedParty:   changed(func(c *apitest.Object, _ time.Time) { c.Set("azp", "another-client") }),
	MissingAudience:        without("aud"),
	MissingIssuedAt:        without("iat"),
	MissingExpiry:          without("exp"),
	Expired:                shifted(-time.Hour),
	NotYetValid:            shifted(time.Hour),
	WrongNonce:             changed(func(c *apitest.Object, _ time.Time) { c.Set("nonce", "another-nonce") }),
	MissingNonce:           without("nonce"),
	WrongAccessTokenHash:   changed(func(c *apitest.Object, _ time.Time) { c.Set("at_hash", accessTokenHash("another access token")) }),
	MissingAccessTokenHash: without("at_hash"),
	AlgNone:                unsigned,
	BadSignature:           tampered,
	BadES256:               signedByEllipticCurve,
	HS256WithPublicKey:     signedBySharedSecret,
	EmbeddedKey:            signedByEmbeddedKey,
	UnpublishedKey:         signedByUnpublishedKey,
	AccessTokenAsIDToken:   func(_ *keyring, _ apitest.Object, access string, _ time.Time) string { return access },
	NoIDToken:              func(*keyring, apitest.Object, string, time.Time) string { return "" },
}

// changed returns a function that changes the claims before it signs them.
func changed(change func(claims *apitest.Object, now time.Time)) func(*keyring, apitest.Object, string, time.Time) string {
	return func(k *keyring, claims apitest.Object, _ string, now time.Time) string {
		change(&claims, now)
		return k.sign(claims.JSON())
	}
}

func without(claim string) func(*keyring, apitest.Object, string, time.Time) string {
	return changed(func(c *apitest.Object, _ time.Time) { c.Drop(claim) })
}

// shifted moves the times of a token, which lives five minutes.
func shifted(by time.Duration) func(*keyring, apitest.Object, string, time.Time) string {
	return changed(func(c *apitest.Object, now time.Time) {
		start := now.Add(by)
		c.Set("nbf", start.Unix())
		c.Set("iat", min(start.Unix(), now.Unix()))
		c.Set("exp", start.Add(5*time.Minute).Unix())
	})
}

func unsigned(_ *keyring, claims apitest.Object, _ string, _ time.Time) string {
	header := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`))
	return header + "." + base64.RawURLEncoding.EncodeToString(claims.JSON()) + "."
}

// tampered flips a bit in the middle of the signature.
func tampered(k *keyring, claims apitest.Object, _ string, _ time.Time) string {
	token := []byte(k.sign(claims.JSON()))
	at := len(token) - 100
	if token[at] == 'A' {
		token[at] = 'B'
	} else {
		token[at] = 'A'
	}
	return string(token)
}

func signedByEllipticCurve(_ *keyring, claims apitest.Object, _ string, _ time.Time) string {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic("identitytest: making a key: " + err.Error())
	}
	return signJWT(jose.ES256, key, claims.JSON(), nil)
}

func signedBySharedSecret(k *keyring, claims apitest.Object, _ string, _ time.Time) string {
	der, err := x509.MarshalPKIXPublicKey(&k.current().private.PublicKey)
	if err != nil {
		panic("identitytest: " + err.Error())
	}
	secret := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	return signJWT(jose.HS256, secret, claims.JSON(), nil)
}

func signedByEmbeddedKey(_ *keyring, claims apitest.Object, _ string, _ time.Time) string {
	return signJWT(jose.RS256, foreignKey(), claims.JSON(), &jose.SignerOptions{EmbedJWK: true})
}

func signedByUnpublishedKey(_ *keyring, claims apitest.Object, _ string, _ time.Time) string {
	return signJWT(jose.RS256, foreignKey(), claims.JSON(), nil)
}
