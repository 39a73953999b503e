package apitest

import "crypto/subtle"

// Guard returns a handler that checks the bearer. It calls h with the owner of
// a valid token, or refuse. It answers 405 to any method but the given one.
func (t *Tokens) Guard(method string, refuse Handler, h func(x *Exchange, owner string)) Handler {
	return func(x *Exchange) {
		if !x.AllowOnly(method) {
			return
		}
		owner, ok := t.Owner(x.Bearer())
		if !ok {
			x.Note("the bearer is missing or invalid")
			refuse(x)
			return
		}
		h(x, owner)
	}
}

// SameSecret compares two secrets in constant time. It returns false for an
// empty want.
func SameSecret(want, got string) bool {
	return want != "" && subtle.ConstantTimeCompare([]byte(want), []byte(got)) == 1
}
