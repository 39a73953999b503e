package storetest

import (
	"testing"
	"time"

	"b2trader.identity.auth/identity/store"
)

var versionCases = []testCase{
	{"unknown key", "a miss is an answer of its own, neither a fault nor a deletion",
		func(t *testing.T, f fixture) { f.missing(t, "unknown", store.ErrNotFound) }},

	{"create finds a record", "of two callers that create one key, the second one gets an error",
		func(t *testing.T, f fixture) {
			r := f.create(t, "key", "owner", "first")
			for _, owner := range []string{"owner", "other"} {
				f.refused(t, f.b, store.Record{Key: "key", Owner: owner, Value: []byte("second"), Expires: in(time.Hour)}, store.ErrConflict)
			}
			f.same(t, r)
			f.listed(t, "other")
		}},

	{"compare and swap", "only a caller that knows the newest version replaces it: an older copy never overwrites newer tokens",
		func(t *testing.T, f fixture) {
			first := f.create(t, "key", "owner", "first")
			second := first
			second.Value = []byte("second")
			second = f.put(t, second)
			f.same(t, second)
			for _, v := range []uint64{first.Version, second.Version + 1, 1, 1<<63 - 1} {
				stale := store.Record{Key: "key", Owner: "owner", Version: v, Value: []byte("stale"), Expires: in(time.Hour)}
				f.refused(t, f.b, stale, store.ErrConflict)
			}
			f.same(t, second)
		}},

	{"swap without a record", "a Put that names a version does not create: the record that it read has expired",
		func(t *testing.T, f fixture) {
			f.refused(t, f.a, store.Record{Key: "key", Owner: "owner", Version: 7, Expires: in(time.Hour)}, store.ErrNotFound)
			f.missing(t, "key", store.ErrNotFound)
			f.listed(t, "owner")
		}},

	{"swap with the same value", "a version counts writes, not different values: a lease is extended with equal bytes",
		func(t *testing.T, f fixture) {
			r := f.create(t, "key", "owner", "value")
			f.same(t, f.put(t, f.put(t, r)))
		}},

	{"owner may not change", "a record that changes its owner would be in two lists or in none",
		func(t *testing.T, f fixture) {
			r := f.create(t, "key", "owner", "value")
			for _, owner := range []string{"other", ""} {
				changed := r
				changed.Owner = owner
				f.refused(t, f.a, changed, store.ErrInvalid)
			}
			f.same(t, r)
			f.listed(t, "owner", "key")
			f.listed(t, "other")
		}},

	{"one handle reads what the other writes", "two replicas serve one browser: the second request sees what the first stored",
		func(t *testing.T, f fixture) {
			r := f.create(t, "key", "owner", "0")
			for range 50 {
				r.Value = append(r.Value, '.')
				r = f.put(t, r)
				f.same(t, r)
				f = f.swapped()
			}
		}},
}
