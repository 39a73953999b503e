package storetest

import (
	"testing"
	"time"

	"b2trader.identity.auth/identity/store"
)

var versionCases = []testCase{
	{"unknown key", "a miss is its own answer, neither a fault nor a deletion",
		func(t *testing.T, f fixture) { f.gone(t, "nobody", store.ErrNotFound) }},

	{"create finds a record", "of two that create one key, one must learn that it came second",
		func(t *testing.T, f fixture) {
			r := f.create(t, "key", "owner", "first")
			for _, owner := range []string{"owner", "other"} {
				_, err := f.b.Put(f.ctx, store.Record{Key: "key", Owner: owner, Value: []byte("second"), Expires: in(time.Hour)})
				checkError(t, err, store.ErrConflict)
			}
			f.same(t, r)
			f.listed(t, "other")
		}},

	{"compare and swap", "only who knows the newest version may replace it: an older copy never overwrites newer tokens",
		func(t *testing.T, f fixture) {
			first := f.create(t, "key", "owner", "first")
			second := first
			second.Value = []byte("second")
			second = f.put(t, second)
			f.same(t, second)
			for _, v := range []uint64{first.Version, second.Version + 1, 1, 1<<63 - 1} {
				stale := store.Record{Key: "key", Owner: "owner", Version: v, Value: []byte("stale"), Expires: in(time.Hour)}
				_, err := f.b.Put(f.ctx, stale)
				checkError(t, err, store.ErrConflict)
			}
			f.same(t, second)
		}},

	{"swap without a record", "a Put that names a version must not create: the record it knew has expired",
		func(t *testing.T, f fixture) {
			_, err := f.a.Put(f.ctx, store.Record{Key: "key", Owner: "owner", Version: 7, Expires: in(time.Hour)})
			checkError(t, err, store.ErrNotFound)
			f.gone(t, "key", store.ErrNotFound)
			f.listed(t, "owner")
		}},

	{"swap with the same value", "a version counts changes, not different values: a lease is renewed with equal bytes",
		func(t *testing.T, f fixture) {
			r := f.create(t, "key", "owner", "value")
			f.same(t, f.put(t, f.put(t, r)))
		}},

	{"owner may not change", "a record that changes hands would be in two lists or in none",
		func(t *testing.T, f fixture) {
			r := f.create(t, "key", "owner", "value")
			for _, owner := range []string{"other", ""} {
				changed := r
				changed.Owner = owner
				_, err := f.a.Put(f.ctx, changed)
				checkError(t, err, store.ErrInvalid)
			}
			f.same(t, r)
			f.listed(t, "owner", "key")
			f.listed(t, "other")
		}},

	{"what one writes the other reads at once", "two replicas serve one browser: the second request must see what the first stored",
		func(t *testing.T, f fixture) {
			r := f.create(t, "key", "owner", "0")
			writer, reader := f.a, f.b
			for range 50 {
				r.Value = append(r.Value, '.')
				v, err := writer.Put(f.ctx, r)
				if err != nil {
					t.Fatal(err)
				}
				r.Version = v
				own, err := writer.Get(f.ctx, "key")
				if err != nil {
					t.Fatal(err)
				}
				checkRecord(t, own, r)
				f.reaches(t, reader, r)
				writer, reader = reader, writer
			}
		}},
}
