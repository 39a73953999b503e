package store

import (
	"context"
	"iter"
	"time"
)

// A Store holds records. All methods are safe for concurrent use, by one process and by several that open the same
// database.
//
// No slice passed in is kept, and no slice returned is shared with the store or another caller.
type Store interface {
	// Get returns the record of key. The error is ErrNotFound if there never was one or if it expired, ErrDeleted if
	// Delete ended it, anything else is a fault.
	//
	// A Store sees its own writes and what its Watch reported at once, and never goes back behind what it returned
	// before. What another process wrote it sees when it is told, usually within a millisecond: a store may answer
	// from memory until then. Who must be certain uses Put.
	Get(ctx context.Context, key string) (Record, error)

	// Put stores r and returns its new version. With Version 0 it creates the record and fails with ErrConflict if
	// there is one. Otherwise it replaces the record of exactly that version; the error is ErrConflict if the version
	// differs and ErrNotFound if there is no record. In both cases it is ErrDeleted if there is a tombstone, and
	// ErrInvalid if r breaks a rule that Record states.
	Put(ctx context.Context, r Record) (version uint64, err error)

	// Delete ends the record of key, whatever its version, and leaves a tombstone until the record would have expired.
	// It is no error if there is no record; then there is no tombstone either.
	Delete(ctx context.Context, key string) error

	// List returns the live records of an owner in no particular order. It costs what that owner has, not what the
	// store has. It is no snapshot: a record that changes during the call may appear as it was before or after. Owner
	// "" has no list.
	List(ctx context.Context, owner string) ([]Record, error)

	// Watch reports the changes and deletions that all processes make, until ctx ends or the store is closed. See
	// Event for what is promised. Each range over it is a watch of its own.
	Watch(ctx context.Context) iter.Seq[Event]
}

// A Record is what a Store keeps under a key.
type Record struct {
	Key     string    // any bytes, 1 to MaxKey of them
	Owner   string    // whom List finds it by: any bytes, at most MaxKey; "" is nobody; Put may not change it
	Version uint64    // set by the store, grows with each change; below 1<<63; 0 only in a Put that creates
	Value   []byte    // any bytes, at most MaxValue; nil and empty are the same and come back with length 0
	Expires time.Time // on the store's clock and in the future when put; there is no record that lives for ever
}

// Limits of a Record, in bytes.
const (
	MaxKey   = 1 << 10
	MaxValue = 8 << 20
)

// Check returns an error that wraps ErrInvalid and names every rule that r breaks, except that only the store
// can tell whether r.Expires is in the past. It is for implementations of Store, which call it first in Put.
func (r Record) Check() error {
	var problems []string
	if r.Key == "" {
		problems = append(problems, "empty key")
	}
	if len(r.Key) > MaxKey {
		problems = append(problems, "key too long")
	}
	if len(r.Owner) > MaxKey {
		problems = append(problems, "owner too long")
	}
	if len(r.Value) > MaxValue {
		problems = append(problems, "value too long")
	}
	if r.Version >= 1<<63 {
		problems = append(problems, "no store gives such a version")
	}
	if r.Expires.Before(firstExpiry) || !r.Expires.Before(lastExpiry) {
		problems = append(problems, "expiry missing or absurd")
	}
	return invalid(problems)
}

// Expiries outside these do not fit every database.
var (
	firstExpiry = time.Unix(0, 0)
	lastExpiry  = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
)
