package vault

import (
	"context"

	"b2trader.identity.auth/identity/store/records"
)

// Delete ends the entry under key and returns it, so that the caller can revoke
// its token. A renewal under way, in any process, cannot bring the entry back:
// its new token goes to Config.Revoke. The returned entry then has no Token,
// because the renewal is using its refresh token up.
//
// Errors: ErrNotFound; *UnavailableError or the context's, after which the
// entry may still be there.
func (v *Vault) Delete(ctx context.Context, key string) (Entry, error) {
	id := v.records.ID(key)
	stored, readErr := v.records.Ref(id).Read(ctx)
	if records.Absent(readErr) {
		return Entry{}, ErrNotFound
	}
	if err := v.records.Delete(ctx, id); err != nil {
		return Entry{}, storeError(ctx, err)
	}
	if e := v.entries.Get(key); e != nil {
		v.entries.Remove(key, e)
	}
	if readErr != nil { // the entry is deleted, but its token is not known
		return Entry{}, nil //nolint:nilerr // the deletion succeeded
	}
	e := stored.Value.entry(v.storeAhead())
	if l := stored.Value.Lease; l != nil && v.storeNow().Before(l.Until) {
		e.Token = nil
	}
	return e, nil
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
