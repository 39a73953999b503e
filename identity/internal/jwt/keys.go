package jwt

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"b2trader.identity.auth/identity/internal/strictjson"
)

// minRSABits is the size below which RSA keys "MUST NOT" be used (RFC 7518
// section 3.3).
const minRSABits = 2048

// parseKeys reads a JWK Set and returns the keys that can verify a signature.
// It ignores the others, as "Implementations SHOULD ignore JWKs within a JWK Set
// that use 'kty' values that are not understood by them, that are missing
// required members, or for which values are out of the supported ranges"
// (RFC 7517 section 5), and says by ignored why.
//
// Errors: the document is not a JWK Set, or no key of it can be used.
func parseKeys(document []byte) (keys []key, ignored []error, err error) {
	var set map[string]json.RawMessage // lenient, so that a bad entry spoils itself only
	if err := json.Unmarshal(bytes.TrimPrefix(document, []byte("\ufeff")), &set); err != nil {
		return nil, nil, errors.New("the answer is not a key set: it is not a JSON object")
	}
	var entries []json.RawMessage
	if json.Unmarshal(set["keys"], &entries) != nil || entries == nil {
		return nil, nil, errors.New("the answer is not a key set: it has no list of keys")
	}
	for i, raw := range entries {
		k, err := parseKey(raw)
		if err != nil {
			ignored = append(ignored, fmt.Errorf("entry %d of the key set: %w", i, err))
			continue
		}
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return nil, ignored, errors.New("the key set has no usable key")
	}
	return keys, ignored, nil
}

// A key is a public key with what its owner allows.
type key struct {
	id        string
	algorithm string // the only one it is for; empty: any that fits its type
	public    any
}

func parseKey(raw []byte) (key, error) {
	var more struct {
		Use        string   `json:"use"`
		Operations []string `json:"key_ops"`
	}
	if err := strictjson.Unmarshal(raw, &more); err != nil {
		return key{}, err
	}
	var jwk jose.JSONWebKey
	if err := json.Unmarshal(raw, &jwk); err != nil {
		return key{}, errors.New("it is malformed, or of a type that is not supported")
	}
	switch public := jwk.Key.(type) {
	case *rsa.PublicKey:
		if public.N.BitLen() < minRSABits {
			return key{}, fmt.Errorf("an RSA key of %d bits is too short", public.N.BitLen())
		}
	case *ecdsa.PublicKey, ed25519.PublicKey:
	default:
		return key{}, errors.New("it is not a public key of a supported type")
	}
	if more.Use != "" && more.Use != "sig" {
		return key{}, errors.New("its use is not sig")
	}
	if more.Operations != nil && !slices.Contains(more.Operations, "verify") {
		return key{}, errors.New("its key_ops do not include verify")
	}
	return key{id: jwk.KeyID, algorithm: jwk.Algorithm, public: jwk.Key}, nil
}

// ed25519Alone is the name of EdDSA with Ed25519 in RFC 9864 section 2.2, which
// go-jose knows as EdDSA only.
const ed25519Alone = "Ed25519"

// verifies reports whether k made the signature of t.
func (k key) verifies(t *Token) bool {
	if k.algorithm != "" && !sameAlgorithm(k.algorithm, t.Algorithm) {
		return false
	}
	if t.Algorithm == ed25519Alone {
		public, ok := k.public.(ed25519.PublicKey)
		return ok && ed25519.Verify(public, []byte(t.raw[:strings.LastIndexByte(t.raw, '.')]), t.signature)
	}
	if public, ok := k.public.(*ecdsa.PublicKey); ok && public.Params().BitSize != curveBits[t.Algorithm] {
		return false
	}
	jws, err := jose.ParseSignedCompact(t.raw, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(t.Algorithm)})
	if err != nil {
		return false
	}
	_, err = jws.Verify(k.public)
	return err == nil
}

// sameAlgorithm compares the alg of a key with that of a token.
func sameAlgorithm(ofKey, ofToken string) bool {
	edwards := []string{"EdDSA", ed25519Alone}
	return ofKey == ofToken || slices.Contains(edwards, ofKey) && slices.Contains(edwards, ofToken)
}

// curveBits are the sizes of the curves that the algorithms are for (RFC 7518
// section 3.4).
var curveBits = map[string]int{"ES256": 256, "ES384": 384, "ES512": 521}
