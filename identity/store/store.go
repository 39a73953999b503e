package store

import (
	"context"
	"iter"
	"time"
)

// A Store keeps records. All methods are safe for concurrent use, in one
// process and in several processes that open the same database.
//
// A Store does not keep the slices that it gets, and does not share the slices
// that it returns.
type Store interface {
	// Get returns the record of key. The error is ErrNotFound if the record
	// never existed or has expired, and ErrDeleted if Delete deleted it.
	// Any other error is a fault.
	//
	// Get asks the database: it returns every change whose Put or Delete has
	// returned, in any process, and never an older version than before.
	Get(ctx context.Context, key string) (Record, error)

	// Put stores r and returns its new version. With Version 0 it creates the
	// record, and fails with ErrConflict if one exists. Otherwise it replaces
	// the record of exactly that version, and fails with ErrConflict if the
	// version differs and with ErrNotFound if no record exists. In both cases
	// it fails with ErrDeleted if there is a tombstone, and with ErrInvalid if
	// r breaks a rule of Record.
	Put(ctx context.Context, r Record) (version uint64, err error)

	// Delete deletes the record of key, whatever its version, and leaves a
	// tombstone until the record would have expired. Without a record it does
	// nothing, returns no error and leaves no tombstone.
	Delete(ctx context.Context, key string) error

	// List returns the live records of an owner in no particular order. Its
	// cost depends on the records of that owner only. List is no snapshot: a
	// record that changes meanwhile may appear as it was before or after.
	// Owner "" has no list.
	List(ctx context.Context, owner string) ([]Record, error)

	// Watch reports the changes and deletions of all processes until ctx ends
	// or the store is closed. Event states the guarantees. Each range over the
	// result is a watch of its own. A watch that gives no signs of life (Alive)
	// is safe and slow: caches over it then read the store each time.
	Watch(ctx context.Context) iter.Seq[Event]
}

// A Record is what a Store keeps under a key.
type Record struct {
	Key     string    // any bytes, 1 to MaxKey of them
	Owner   string    // any bytes, at most MaxKey; for List; "": none; Put may not change it
	Version uint64    // set by the store, below 1<<63; in a Put, 0 creates
	Value   []byte    // any bytes, at most MaxValue; nil is stored as empty
	Expires time.Time // on the clock of the store; required, and in the future in a Put
}

// Limits of a Record, in bytes.
const (
	MaxKey   = 1 << 10
	MaxValue = 8 << 20
)

// Check returns an error that wraps ErrInvalid and names every rule that r
// breaks. It does not check whether Expires is in the past, which only the
// store knows. Implementations of Store call it first in Put.
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
		problems = append(problems, "version too high")
	}
	if r.Expires.Before(firstExpiry) || !r.Expires.Before(lastExpiry) {
		problems = append(problems, "expiry missing, before 1970 or after 2199")
	}
	return invalid(problems)
}

// Times outside these bounds do not fit every database.
var (
	firstExpiry = time.Unix(0, 0)
	lastExpiry  = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
)
