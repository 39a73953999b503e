package apitest

import "crypto/subtle"

// Guard lets the holders of these tokens pass: it answers requests of the method whose bearer
// is good with h, which is told whose it is, and the others with refuse. Any other method
// gets 405.
func (t *Tokens) Guard(method string, refuse Handler, h func(x *Exchange, owner string)) Handler {
	return func(x *Exchange) {
		if !x.AllowOnly(method) {
			return
		}
		owner, ok := t.Owner(x.Bearer())
		if !ok {
			x.Note("the bearer is missing or dead")
			refuse(x)
			return
		}
		h(x, owner)
	}
}

// SameSecret compares in constant time. Nothing equals an empty secret.
func SameSecret(want, got string) bool {
	return want != "" && subtle.ConstantTimeCompare([]byte(want), []byte(got)) == 1
}
