package b2binpay

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
)

// signs reports, in constant time, whether sign is B2BINPAY's signature of
// message in hex: HMAC-SHA256, whose key is the SHA-256 of login and password, as
// 32 bytes and not as hex digits.
func signs(sign, login, password, message string) bool {
	key := sha256.Sum256([]byte(login + password))
	mac := hmac.New(sha256.New, key[:])
	mac.Write([]byte(message))
	got, err := hex.DecodeString(sign)
	return err == nil && hmac.Equal(got, mac.Sum(nil))
}
