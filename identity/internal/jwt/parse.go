package jwt

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"b2trader.identity.auth/identity/internal/strictjson"
)

// A Token is a signed JWT in the compact serialization, whose signature is not
// verified yet.
type Token struct {
	Algorithm string // alg
	KeyID     string // kid; may be empty
	Type      string // typ in lower case, without "application/" (RFC 7515 section 4.1.9)
	Payload   []byte // the claims, valid JSON without duplicate names

	raw       string
	signature []byte
}

// An AlgorithmError says that a token is signed by an algorithm that is not
// accepted.
type AlgorithmError struct{ Algorithm string }

// Error names the algorithm.
func (e *AlgorithmError) Error() string {
	return fmt.Sprintf("it is signed with %q, which is not an accepted algorithm", e.Algorithm)
}

var (
	// ErrEncrypted means that the token is a JWE, which this module does not
	// decrypt.
	ErrEncrypted = errors.New("it is encrypted")

	errNotJWT = errors.New("it is not a signed JWT")
)

// header holds the members of a JOSE header that decide.
type header struct {
	Algorithm string          `json:"alg"`
	KeyID     string          `json:"kid"`
	Type      string          `json:"typ"`
	Critical  json.RawMessage `json:"crit"`
	Base64    json.RawMessage `json:"b64"`
}

// Parse parses a token and applies the rules that go-jose and go-oidc leave
// out. Its signature must be by one of algorithms.
//
// Errors: ErrEncrypted, *AlgorithmError, or which rule the token breaks.
func Parse(raw string, algorithms []string) (*Token, error) {
	parts := strings.Split(raw, ".")
	if len(parts) == 5 {
		return nil, ErrEncrypted // RFC 7516 section 3.1
	}
	if len(parts) != 3 {
		return nil, errNotJWT
	}
	var decoded [3][]byte
	for i, part := range parts {
		// "no line breaks, whitespace, or other additional characters" (RFC 7515
		// section 2). Strict also refuses a second spelling of the same bytes.
		bytes, err := base64.RawURLEncoding.Strict().DecodeString(part)
		if err != nil || strings.ContainsAny(part, "\r\n") {
			return nil, errNotJWT
		}
		decoded[i] = bytes
	}
	var h header
	switch err := strictjson.Unmarshal(decoded[0], &h); {
	case err != nil:
		return nil, fmt.Errorf("its header cannot be read: %w", err)
	case h.Critical != nil:
		// "If any of the listed extension Header Parameters are not understood and
		// supported by the recipient, then the JWS is invalid", and the list MUST
		// NOT be empty (RFC 7515 section 4.1.11). This module supports none.
		return nil, errors.New("its header has crit, and no extension is supported")
	case h.Base64 != nil && string(h.Base64) != "true":
		return nil, errors.New("its payload is not base64url-encoded (b64)") // "MUST NOT" (RFC 7797 section 7)
	case !slices.Contains(algorithms, h.Algorithm):
		return nil, &AlgorithmError{clip(h.Algorithm)}
	case !utf8.Valid(decoded[1]):
		return nil, errors.New("its claims hold invalid UTF-8") // RFC 7519 section 7.2
	}
	var claims map[string]json.RawMessage
	if err := strictjson.Unmarshal(decoded[1], &claims); err != nil || claims == nil {
		return nil, errors.New("its claims are not a JSON object without duplicate names")
	}
	if name, ok := confusable(claims); ok {
		return nil, fmt.Errorf("its claims have a name that differs from %s in case alone", name)
	}
	return &Token{
		Algorithm: h.Algorithm, KeyID: h.KeyID, Type: strings.TrimPrefix(strings.ToLower(h.Type), "application/"), Payload: decoded[1],
		raw: raw, signature: decoded[2],
	}, nil
}

// registered are the claims that name the user and bound the session.
var registered = []string{
	"iss", "sub", "aud", "exp", "iat", "nbf", "jti", "nonce", "azp", "at_hash", "auth_time", "sid", "events",
	"_claim_names", "_claim_sources",
}

// confusable returns the registered name that a member of claims differs from
// in case alone. Claim names are case-sensitive, so such a member is another,
// unknown claim. But encoding/json in go-oidc, and in callers that decode the
// claims, takes it for the registered one; therefore the token is refused.
func confusable(claims map[string]json.RawMessage) (string, bool) {
	for name := range claims {
		for _, known := range registered {
			if name != known && strings.EqualFold(name, known) {
				return known, true
			}
		}
	}
	return "", false
}

// A NumericDate is a claim in seconds since 1970 (RFC 7519 section 2). It is the
// zero time if the token lacks the claim.
type NumericDate struct{ time.Time }

// latest is the end of the year 9999, the latest time that RFC 3339 can write.
const latest = 253402300799

// UnmarshalJSON accepts a JSON number within 1970 to 9999 and nothing else: a
// larger one overflows time.Time and compares as an early one.
func (d *NumericDate) UnmarshalJSON(raw []byte) error {
	var seconds float64
	if err := json.Unmarshal(raw, &seconds); err != nil || string(raw) == "null" {
		return errors.New("a time is not a number")
	}
	if seconds < 0 || seconds > latest {
		return errors.New("a time is out of range")
	}
	whole, part := math.Modf(seconds)
	d.Time = time.Unix(int64(whole), int64(part*1e9))
	return nil
}

// clip shortens what a stranger sent.
func clip(s string) string {
	if len(s) > 40 {
		return strings.ToValidUTF8(s[:40], "") + "…"
	}
	return s
}
