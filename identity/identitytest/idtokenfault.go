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

// draft is a token before it is signed.
type draft struct {
	keys   *keyring
	claims apitest.Object
	access string // the access token that is issued with an ID token
	now    time.Time
}

// idTokenFaults are the functions that make the broken tokens.
var idTokenFaults = map[IDTokenFault]func(draft) string{
	WrongIssuer:            changed(set("iss", "https://another.example/identity")),
	MissingSubject:         changed(drop("sub")),
	OtherSubject:           changed(set("sub", "00000000-0000-4000-8000-000000000000")),
	WrongAudience:          changed(set("aud", "another-client")),
	ExtraAudience:          changed(addAudience),
	WrongAuthorizedParty:   changed(set("azp", "another-client")),
	MissingAudience:        changed(drop("aud")),
	MissingIssuedAt:        changed(drop("iat")),
	MissingExpiry:          changed(drop("exp")),
	Expired:                changed(shift(-time.Hour)),
	NotYetValid:            changed(shift(time.Hour)),
	WrongNonce:             changed(set("nonce", "another-nonce")),
	MissingNonce:           changed(drop("nonce")),
	WrongAccessTokenHash:   changed(set("at_hash", accessTokenHash("another access token"))),
	MissingAccessTokenHash: changed(drop("at_hash")),
	AlgNone:                unsigned,
	BadSignature:           tampered,
	BadES256:               signedByEllipticCurve,
	HS256WithPublicKey:     signedBySharedSecret,
	EmbeddedKey:            signedByEmbeddedKey,
	UnpublishedKey:         signedByUnpublishedKey,
	AccessTokenAsIDToken:   func(d draft) string { return d.access },
	NoIDToken:              func(draft) string { return "" },
}

// claimChange changes the claims of a token before it is signed.
type claimChange func(claims *apitest.Object, now time.Time)

// changed returns a function that changes the claims and signs them well.
func changed(change claimChange) func(draft) string {
	return func(d draft) string {
		change(&d.claims, d.now)
		return d.keys.sign(d.claims.JSON())
	}
}

func set(claim string, value any) claimChange {
	return func(c *apitest.Object, _ time.Time) { c.Set(claim, value) }
}

func drop(claims ...string) claimChange {
	return func(c *apitest.Object, _ time.Time) {
		for _, claim := range claims {
			c.Drop(claim)
		}
	}
}

func addAudience(c *apitest.Object, _ time.Time) {
	c.Set("aud", []any{c.Get("aud"), "another-client"})
}

// shift moves the times of a token, which lives five minutes.
func shift(by time.Duration) claimChange {
	return func(c *apitest.Object, now time.Time) {
		start := now.Add(by)
		c.Set("nbf", start.Unix())
		c.Set("iat", min(start.Unix(), now.Unix()))
		c.Set("exp", start.Add(5*time.Minute).Unix())
	}
}

// lives returns a change to a token that is issued and expires that long after
// now.
func lives(from, to time.Duration) claimChange {
	return func(c *apitest.Object, now time.Time) {
		c.Set("iat", now.Add(from).Unix())
		c.Set("exp", now.Add(to).Unix())
	}
}

func unsigned(d draft) string {
	header := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`))
	return header + "." + base64.RawURLEncoding.EncodeToString(d.claims.JSON()) + "."
}

// tampered flips a bit in the middle of the signature.
func tampered(d draft) string {
	token := []byte(d.keys.sign(d.claims.JSON()))
	at := len(token) - 100
	if token[at] == 'A' {
		token[at] = 'B'
	} else {
		token[at] = 'A'
	}
	return string(token)
}

func signedByEllipticCurve(d draft) string {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic("identitytest: making a key: " + err.Error())
	}
	return signJWT(jose.ES256, key, d.claims.JSON(), nil)
}

func signedBySharedSecret(d draft) string {
	der, err := x509.MarshalPKIXPublicKey(&d.keys.current().private.PublicKey)
	if err != nil {
		panic("identitytest: " + err.Error())
	}
	secret := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	return signJWT(jose.HS256, secret, d.claims.JSON(), nil)
}

func signedByEmbeddedKey(d draft) string {
	return signJWT(jose.RS256, foreignKey(), d.claims.JSON(), (&jose.SignerOptions{EmbedJWK: true}).WithType("JWT"))
}

func signedByUnpublishedKey(d draft) string {
	return signJWT(jose.RS256, foreignKey(), d.claims.JSON(), nil)
}
