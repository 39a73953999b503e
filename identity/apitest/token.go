package apitest

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
)

// RandomHex returns n random bytes as 2n lower-case hex digits.
func RandomHex(n int) string { return hex.EncodeToString(randomBytes(n)) }

func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails, see crypto/rand
	return b
}

// JWT returns claims as a token signed with HS256 (RFC 7515) by a key that is thrown away:
// it looks like a token, and no client can verify it. The server must remember it to
// recognize it; two calls with the same claims return different tokens.
func JWT(claims Object) string {
	header := Object{{"typ", "JWT"}, {"alg", "HS256"}}
	signed := base64.RawURLEncoding.EncodeToString(header.JSON()) + "." + base64.RawURLEncoding.EncodeToString(claims.JSON())
	mac := hmac.New(sha256.New, randomBytes(sha256.Size))
	mac.Write([]byte(signed))
	return signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
