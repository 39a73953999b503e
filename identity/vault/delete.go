package vault

import (
	"context"
	"errors"
	"time"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/records"
)

// Delete ends the entry under key and returns it, so that the caller can revoke
// its token. If several callers, in any processes, delete the entry at the same
// time, one of them gets it and the others get ErrNotFound. A renewal under way,
// in any process, cannot bring the entry back: its new token goes to
// Config.Revoke. The returned entry then has no Token, because the renewal is
// using its refresh token up.
//
// Errors: ErrNotFound; *UnavailableError or the context's, after which the
// entry may still be there. Call Delete again later: for ten seconds the answer
// may be ErrNotFound, and no token of the entry is served or renewed.
func (v *Vault) Delete(ctx context.Context, key string) (Entry, error) {
	id := v.records.ID(key)
	taken, err := v.take(ctx, id)
	if records.Absent(err) || errors.Is(err, errTaken) {
		return Entry{}, ErrNotFound
	}
	// The record is deleted even if it could not be read or marked: a full store
	// deletes.
	if err := v.records.Delete(ctx, id); err != nil {
		return Entry{}, storeError(ctx, err)
	}
	if e := v.entries.Get(key); e != nil {
		v.entries.Remove(key, e)
	}
	if taken == nil { // the entry is deleted, but its token is not known
		return Entry{}, nil
	}
	e := taken.entry(v.storeAhead())
	if l := taken.Lease; l != nil && v.storeNow().Before(l.Until) {
		e.Token = nil
	}
	return e, nil
}

// takenFor is how long a caller of Delete has an entry that it could not delete.
// Afterwards another caller gets it.
const takenFor = 10 * time.Second

// errTaken says that another caller deletes the entry.
var errTaken = errors.New("another caller deletes the entry")

// take marks a record for its deletion by compare-and-swap, and returns it as
// it was. If the store refuses the mark, take returns the record all the same:
// two callers may get it then, which is better than none.
//
// Errors: errTaken, or the store's. Without a record it was not readable.
func (v *Vault) take(ctx context.Context, id records.ID) (*record, error) {
	ref := v.records.Ref(id)
	for {
		changed := ref.Changed()
		stored, err := ref.Read(ctx)
		switch {
		case err != nil:
			return nil, err
		case v.storeNow().Before(stored.Value.Taken):
			return nil, errTaken
		}
		next := *stored
		next.Value.Taken = v.storeNow().Add(takenFor)
		_, err = ref.Put(ctx, next)
		switch {
		case errors.Is(err, store.ErrConflict): // a renewal or another caller was quicker
			select {
			case <-changed:
			case <-time.After(20 * time.Millisecond):
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		case records.Absent(err):
			return nil, err
		default:
			return &stored.Value, err
		}
	}
}

// DeleteOwner ends every entry of an owner and returns their number. Its cost
// grows with that number only.
//
// Errors: *UnavailableError or the context's, after which some entries may
// still be there.
func (v *Vault) DeleteOwner(ctx context.Context, owner string) (int, error) {
	ids, err := v.records.IDs(ctx, v.owners(owner)...)
	if err != nil {
		return 0, storeError(ctx, err)
	}
	for i, id := range ids {
		if err := v.records.Delete(ctx, id); err != nil {
			return i, storeError(ctx, err)
		}
	}
	return len(ids), nil
}
