package storetest

import (
	"testing"
	"time"

	"b2trader.identity.auth/identity/store"
)

var deletionCases = []testCase{
	{"deleted is not missing", "whoever holds a session must learn that it was ended, not that it never was",
		func(t *testing.T, f fixture) {
			f.create(t, "key", "owner", "value")
			f.delete(t, "key")
			f.gone(t, "key", store.ErrDeleted)
			f.listed(t, "owner")
		}},

	{"nothing brings a deleted record back", "a slow request that ends after the sign-out must not undo it",
		func(t *testing.T, f fixture) {
			r := f.create(t, "key", "owner", "value")
			w := f.watch(t, f.a)
			w.next(t, synced)
			f.delete(t, "key")
			tombstone := w.next(t, of(store.Deleted, "key")).Version
			for _, s := range []store.Store{f.a, f.b} {
				for _, v := range []uint64{r.Version, r.Version + 1, tombstone, 0} {
					again := r
					again.Version, again.Expires = v, in(2*time.Hour)
					_, err := s.Put(f.ctx, again)
					checkError(t, err, store.ErrDeleted)
				}
			}
			f.gone(t, "key", store.ErrDeleted)
			f.listed(t, "owner")
		}},

	{"delete twice", "a sign-out is repeated when its answer is lost, and that is no error",
		func(t *testing.T, f fixture) {
			f.create(t, "key", "owner", "value")
			f.delete(t, "key")
			f.delete(t, "key")
			if err := f.b.Delete(f.ctx, "key"); err != nil {
				t.Fatal(err)
			}
			f.gone(t, "key", store.ErrDeleted)
		}},

	{"delete of nothing", "there is no moment until which a tombstone could stand, and the key stays free",
		func(t *testing.T, f fixture) {
			f.delete(t, "key")
			f.gone(t, "key", store.ErrNotFound)
			f.same(t, f.create(t, "key", "owner", "value"))
		}},

	{"delete names no version", "sign-out wins over a refresh that it does not know of",
		func(t *testing.T, f fixture) {
			r := f.create(t, "key", "owner", "value")
			r.Value = []byte("newer")
			f.put(t, r)
			if err := f.b.Delete(f.ctx, "key"); err != nil {
				t.Fatal(err)
			}
			fixture{a: f.b, b: f.a, ctx: f.ctx}.gone(t, "key", store.ErrDeleted)
		}},

	{"tombstone ends when the record would have", "tombstones must not pile up, and afterwards a stale Put must still not create",
		func(t *testing.T, f fixture) {
			r := f.put(t, store.Record{Key: "key", Owner: "owner", Value: []byte("value"), Expires: in(life)})
			f.delete(t, "key")
			f.gone(t, "key", store.ErrDeleted)
			f.expired(t, "key")
			stale := r
			stale.Expires = in(time.Hour)
			_, err := f.b.Put(f.ctx, stale)
			checkError(t, err, store.ErrNotFound)
			again := f.create(t, "key", "other", "again")
			if again.Version <= r.Version {
				t.Fatalf("version %d of the new record is not above %d of the old one", again.Version, r.Version)
			}
			f.same(t, again)
			f.listed(t, "owner")
			f.listed(t, "other", "key")
		}},
}

func (f fixture) delete(t *testing.T, key string) {
	t.Helper()
	if err := f.a.Delete(f.ctx, key); err != nil {
		t.Fatalf("Delete: %v", err)
	}
}
