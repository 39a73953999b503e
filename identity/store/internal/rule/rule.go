// Package rule decides whether a Put may go ahead, for stores that decide in Go.
package rule

import "b2trader.identity.auth/identity/store"

// A Present is what is stored under a key and has not expired.
type Present struct {
	Deleted bool
	Version uint64
	Owner   string
}

// Refuse says why r may not be put where p is, which is nil if nothing is.
func Refuse(p *Present, r store.Record) error {
	switch {
	case p == nil && r.Version == 0:
		return nil
	case p == nil:
		return store.ErrNotFound
	case p.Deleted:
		return store.ErrDeleted
	case p.Version != r.Version:
		return store.ErrConflict
	case p.Owner != r.Owner:
		return store.Invalid("owner changed")
	default:
		return nil
	}
}
