package records

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
)

// names are the keys of names in the store, one for each sealing key. An owner
// can be guessed, so its name in a dump must not confirm a guess.
type names [][]byte

func newNames(keys []Key) names {
	var n names
	for _, k := range keys {
		n = append(n, k.Derive("b2trader records: names of owners"))
	}
	return n
}

// of returns the prefix and a MAC of name by each key.
func (n names) of(prefix, name string) []string {
	list := make([]string, len(n))
	for i, key := range n {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(prefix + name))
		list[i] = prefix + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
	}
	return list
}
