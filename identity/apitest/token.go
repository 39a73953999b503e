package apitest

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// RandomHex returns n random bytes as 2n lower-case hex digits.
func RandomHex(n int) string { return hex.EncodeToString(randomBytes(n)) }

func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails, see crypto/rand
	return b
}

// JWT returns a string with the form of a token with that header and these
// claims (RFC 7519). Its signature is random, so nothing can verify it: the
// server keeps it in [Tokens]. Two calls with the same claims return different
// tokens.
func JWT(header, claims Object) string {
	var parts [3]string
	for i, part := range [][]byte{header.JSON(), claims.JSON(), randomBytes(32)} {
		parts[i] = base64.RawURLEncoding.EncodeToString(part)
	}
	return strings.Join(parts[:], ".")
}
