package vault

import "b2trader.identity.auth/identity/store/records"

// A Key seals entries at rest.
type Key = records.Key

// NewKey returns a random key.
func NewKey(id string) Key { return records.NewKey(id) }

// ParseKeys parses the content of a file of keys, for Config.Keys. Each line has
// an ID, a colon and 32 random bytes in base64, such as those of
// openssl rand -base64 32; see [records.ParseKeys] for the rules and for how to
// replace a key.
//
// Errors: every problem, joined, each with the number of its line and without
// its content.
func ParseKeys(content []byte) ([]Key, error) { return records.ParseKeys(content) }
