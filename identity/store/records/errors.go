package records

import (
	"errors"

	"b2trader.identity.auth/identity/store"
)

var (
	// ErrUnreadable says that the record is there, but that no configured key
	// opens it or its codec rejects it. It does not say which, because an
	// attacker who can write to the store could learn from that.
	ErrUnreadable = errors.New("records: the stored record cannot be read with the configured keys: give all processes that share the store the same keys")

	// ErrClosed says that the Cache is closed.
	ErrClosed = errors.New("records: the cache is closed")
)

// Absent reports whether err says that there is no record: there never was
// one, it expired, or it was deleted.
func Absent(err error) bool {
	return errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrDeleted)
}
