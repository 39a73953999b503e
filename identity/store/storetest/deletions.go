package storetest

import (
	"testing"
	"time"

	"b2trader.identity.auth/identity/store"
)

var deletionCases = []testCase{
	{"deleted is not missing", "the owner of a session learns that it was deleted, not that it never existed",
		func(t *testing.T, f fixture) {
			f.create(t, "key", "owner", "value")
			f.delete(t, "key")
			f.missing(t, "key", store.ErrDeleted)
			f.listed(t, "owner")
		}},

	{"nothing brings a deleted record back", "a slow request that ends after the sign-out does not undo it",
		func(t *testing.T, f fixture) {
			r := f.create(t, "key", "owner", "value")
			w := f.watch(t, f.a)
			w.Await(t, store.Synced)
			f.delete(t, "key")
			tombstone := w.next(t, of(store.Deleted, "key")).Version
			for _, s := range []store.Store{f.a, f.b} {
				for _, v := range []uint64{r.Version, r.Version + 1, tombstone, 0} {
					again := r
					again.Version, again.Expires = v, in(2*time.Hour)
					f.refused(t, s, again, store.ErrDeleted)
				}
			}
			f.missing(t, "key", store.ErrDeleted)
			f.listed(t, "owner")
		}},

	{"delete twice", "a sign-out is repeated when its answer is lost, and that is no error",
		func(t *testing.T, f fixture) {
			f.create(t, "key", "owner", "value")
			f.delete(t, "key")
			f.delete(t, "key")
			f.swapped().delete(t, "key")
			f.missing(t, "key", store.ErrDeleted)
		}},

	{"delete of nothing", "without a record there is no time at which a tombstone would end, so the key stays free",
		func(t *testing.T, f fixture) {
			f.delete(t, "key")
			f.missing(t, "key", store.ErrNotFound)
			f.same(t, f.create(t, "key", "owner", "value"))
		}},

	{"delete names no version", "a sign-out wins over a renewal that it does not know of",
		func(t *testing.T, f fixture) {
			r := f.create(t, "key", "owner", "value")
			r.Value = []byte("newer")
			f.put(t, r)
			f.swapped().delete(t, "key")
			f.swapped().missing(t, "key", store.ErrDeleted)
		}},
}
