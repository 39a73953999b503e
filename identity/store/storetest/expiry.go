package storetest

import (
	"testing"
	"time"

	"b2trader.identity.auth/identity/store"
)

var expiryCases = []testCase{
	{"expired records are gone", "an expired session is no session, in no list, and its key is free",
		func(t *testing.T, f fixture) {
			r := f.put(t, store.Record{Key: "key", Owner: "owner", Value: []byte("value"), Expires: in(life)})
			f.create(t, "stays", "owner", "value")
			f.expired(t, "key")
			f.listed(t, "owner", "stays")
			stale := r
			stale.Expires = in(time.Hour)
			_, err := f.a.Put(f.ctx, stale)
			checkError(t, err, store.ErrNotFound)
			f.delete(t, "key")
			f.gone(t, "key", store.ErrNotFound)
			again := f.create(t, "key", "owner", "again")
			if again.Version <= r.Version {
				t.Fatalf("version %d of the new record is not above %d of the old one", again.Version, r.Version)
			}
			f.same(t, again)
			f.listed(t, "owner", "key", "stays")
		}},

	{"expiry in the past", "a writer whose clock is far behind must hear of it, and not lose a record in silence",
		func(t *testing.T, f fixture) {
			past := []time.Time{in(-time.Second), in(-24 * time.Hour), time.Unix(1, 0)}
			for _, when := range past {
				_, err := f.a.Put(f.ctx, store.Record{Key: "key", Owner: "owner", Expires: when})
				checkError(t, err, store.ErrInvalid)
			}
			f.gone(t, "key", store.ErrNotFound)
			r := f.create(t, "key", "owner", "value")
			for _, when := range past {
				swap := r
				swap.Expires = when
				_, err := f.a.Put(f.ctx, swap)
				checkError(t, err, store.ErrInvalid)
			}
			f.same(t, r)
		}},

	{"expiry in milliseconds", "what a store rounds, readers in other processes must see rounded the same way: down",
		func(t *testing.T, f fixture) {
			exact := time.Now().Add(time.Hour).Truncate(time.Second).Add(123456789 * time.Nanosecond)
			r := f.put(t, store.Record{Key: "key", Expires: exact.In(time.FixedZone("east", 3*3600))})
			r.Expires = exact.Truncate(time.Millisecond)
			f.same(t, r)
		}},

	{"longer life", "a session that is extended must stay readable and listed past the moment at which it would have ended",
		func(t *testing.T, f fixture) {
			marker := f.put(t, store.Record{Key: "marker", Owner: "owner", Expires: in(life)})
			r := f.put(t, store.Record{Key: "key", Owner: "owner", Value: []byte("value"), Expires: marker.Expires})
			r.Expires = in(time.Hour)
			r = f.put(t, r)
			f.expired(t, marker.Key)
			f.create(t, "other", "owner", "value") // lets the store tidy up
			f.same(t, r)
			f.listed(t, "owner", "key", "other")
		}},

	{"shorter life", "a session that is cut short must not linger, not as a record and not in a list",
		func(t *testing.T, f fixture) {
			r := f.create(t, "key", "owner", "value")
			f.same(t, r)
			r.Expires = in(life)
			f.put(t, r)
			f.expired(t, "key")
			f.listed(t, "owner")
		}},

	{"tombstone of an extended record", "the sign-out must hold for as long as the longest life that was granted",
		func(t *testing.T, f fixture) {
			marker := f.put(t, store.Record{Key: "marker", Expires: in(life)})
			r := f.put(t, store.Record{Key: "key", Owner: "owner", Expires: marker.Expires})
			r.Expires = in(time.Hour)
			f.put(t, r)
			f.delete(t, "key")
			f.expired(t, marker.Key)
			f.gone(t, "key", store.ErrDeleted)
		}},
}
