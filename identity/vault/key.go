package vault

import "b2trader.identity.auth/identity/store/records"

// A Key seals entries at rest.
type Key = records.Key

// NewKey returns a random key.
func NewKey(id string) Key { return records.NewKey(id) }
