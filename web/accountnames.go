package web

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"b2trader.identity.auth/identity/vault"
)

// accountNames names accounts in the log by what was typed as e-mail, which may
// be a password in the wrong field. The names are keyed: without the sealing
// keys no guess can be tested against a log. Processes with the same first key
// use the same names.
type accountNames []byte // the key

func newAccountNames(keys []vault.Key) accountNames {
	return keys[0].Derive("b2trader web: accounts in the log")
}

// Of returns the name of an account.
func (n accountNames) Of(email string) string {
	mac := hmac.New(sha256.New, n)
	mac.Write([]byte(normalEmail(email)))
	return hex.EncodeToString(mac.Sum(nil)[:8])
}

// normalEmail returns an e-mail in the one spelling in which it is compared.
func normalEmail(email string) string { return strings.ToLower(strings.TrimSpace(email)) }
