package vault

import (
	"context"
	"errors"
)

// PutIfAbsent keeps an entry under key if there is none, or one that has ended.
// Processes that share an account's entry all call it, and the token of the
// first one stays.
//
// Errors: as [Vault.Put].
func (v *Vault) PutIfAbsent(ctx context.Context, key string, e Entry) error {
	return v.put(ctx, key, e, false)
}

var errPresent = errors.New("there is an entry under this key")
