// Package precondition decides whether a Put may go ahead, for stores that
// decide in Go.
package precondition

import "b2trader.identity.auth/identity/store"

// A Stored is what a store has under a key and what has not expired.
type Stored struct {
	Deleted bool // a tombstone
	Version uint64
	Owner   string
}

// Check returns the error of a Put of r if old is stored under its key. A nil
// old means that nothing is.
func Check(old *Stored, r store.Record) error {
	switch {
	case old == nil && r.Version == 0:
		return nil
	case old == nil:
		return store.ErrNotFound
	case old.Deleted:
		return store.ErrDeleted
	case old.Version != r.Version:
		return store.ErrConflict
	case old.Owner != r.Owner:
		return store.Invalid("owner changed")
	default:
		return nil
	}
}
