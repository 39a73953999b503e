package b2binpay

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
)

// signs reports, in constant time, whether sign is the HMAC-SHA256 of message in
// hex.
func signs(sign string, key []byte, message string) bool {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(message))
	got, err := hex.DecodeString(sign)
	return err == nil && hmac.Equal(got, mac.Sum(nil))
}

// accountKey returns the key of version 2's signatures: the SHA-256 of login and
// password, as 32 bytes and not as hex digits.
func accountKey(login, password string) []byte {
	key := sha256.Sum256([]byte(login + password))
	return key[:]
}
