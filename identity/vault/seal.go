package vault

import "b2trader.identity.auth/identity/store/records"

// A Key seals entries at rest.
type Key = records.Key

// NewKey returns a random key.
func NewKey(id string) Key { return records.NewKey(id) }

// A Sealer seals with the first of its keys and opens with any of them.
type Sealer = records.Sealer

// NewSealer is records.NewSealer.
func NewSealer(keys []Key) (*Sealer, error) { return records.NewSealer(keys) }
