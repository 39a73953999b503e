package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"b2trader.identity.auth/identity/store"
)

// An expiryCase has two parts. All cases are prepared with one time of expiry,
// and checked when it is over.
type expiryCase struct {
	name   string
	reason string
	// prepare makes records whose keys and owners begin with prefix. All its
	// calls end before soon, else it is repeated with a later time.
	prepare func(w *writes, prefix string, soon time.Time)
	check   func(t *testing.T, f fixture, prefix string, last versions)
}

// clockCases have handles of their own, because other handles hide store.Clock.
var clockCases = []testCase{
	{"clock", "processes whose clocks differ reckon by the clock that decides whether a record has expired",
		func(t *testing.T, f fixture) {
			if _, err := store.Time(f.ctx, f.a); errors.Is(err, errors.ErrUnsupported) {
				t.Skip("this store has no clock")
			}
			now := f.time(t, f.a)
			_, err := f.a.Put(f.ctx, store.Record{Key: "past", Expires: now.Add(-time.Millisecond)})
			checkError(t, err, store.ErrInvalid)
			if _, err := f.a.Put(f.ctx, store.Record{Key: "live", Expires: now.Add(life)}); err != nil {
				t.Errorf("Put with an hour to live = %v, want no error", err)
			}
			if later := f.time(t, f.b); later.Before(now) || later.After(now.Add(2*patience)) {
				t.Errorf("Time = %v and then, of the other handle, %v, want nearly the same", now, later)
			}
			ended, cancel := context.WithCancel(f.ctx)
			cancel()
			if _, err := store.Time(ended, f.a); !errors.Is(err, context.Canceled) || errors.Is(err, store.ErrUnavailable) {
				t.Errorf("Time of a caller that has gone = %v, want %v and not ErrUnavailable", err, context.Canceled)
			}
		}},
}

func (f fixture) time(t *testing.T, s store.Store) time.Time {
	t.Helper()
	now, err := store.Time(f.ctx, s)
	if err != nil {
		t.Fatalf("Time = %v, want no error", err)
	}
	return now
}

// versions are the last versions of the prepared records, by key.
type versions map[string]uint64

// writes makes calls of a store and keeps the first error.
type writes struct {
	fixture

	last versions
	err  error
}

func (w *writes) put(r store.Record) store.Record {
	if w.err == nil {
		r.Version, w.err = w.a.Put(w.ctx, r)
		w.last[r.Key] = r.Version
	}
	return r
}

func (w *writes) delete(key string) {
	if w.err == nil {
		w.err = w.a.Delete(w.ctx, key)
	}
}

// prepareExpiry prepares all cases and returns the function that waits for the
// expiry and checks them. The time of expiry is so soon that the wait is short,
// and later in each attempt, so that a slow machine passes too.
func prepareExpiry(t *testing.T, f fixture) (check func(t *testing.T)) {
	t.Helper()
	for life := time.Second; life < patience; life *= 2 {
		soon := in(life)
		prefix := func(c expiryCase) string { return fmt.Sprint(c.name, " ", life, " ") }
		w := &writes{fixture: f, last: versions{}}
		for _, c := range expiryCases {
			c.prepare(w, prefix(c), soon)
		}
		if time.Until(soon) < life/4 { // too slow, and perhaps the reason for an error
			continue
		}
		if w.err != nil {
			t.Fatal(w.err)
		}
		return func(t *testing.T) {
			t.Helper()
			for _, c := range expiryCases {
				t.Run("expiry/"+c.name, func(t *testing.T) {
					logReason(t, c.name, c.reason)
					c.check(t, f, prefix(c), w.last)
				})
			}
		}
	}
	t.Fatalf("the store takes longer than %v for %d cases", patience/2, len(expiryCases))
	return nil
}

// expired waits until key has expired for both handles.
func (f fixture) expired(t *testing.T, key string) {
	t.Helper()
	Until(t, func() bool {
		_, errA := f.a.Get(f.ctx, key)
		_, errB := f.b.Get(f.ctx, key)
		return errors.Is(errA, store.ErrNotFound) && errors.Is(errB, store.ErrNotFound)
	})
}

// reusable checks that key is free: a Put that names the version of an expired
// record does not create it, and a new record gets a higher version.
func (f fixture) reusable(t *testing.T, key, owner string, last uint64) {
	t.Helper()
	stale := store.Record{Key: key, Owner: owner, Version: last, Expires: in(time.Hour)}
	f.refused(t, f.a, stale, store.ErrNotFound)
	f.refused(t, f.b, stale, store.ErrNotFound)
	f.delete(t, key)
	f.missing(t, key, store.ErrNotFound)
	again := f.create(t, key, owner, "again")
	if again.Version <= last {
		t.Fatalf("the new record has version %d, want above %d of the expired one", again.Version, last)
	}
	f.same(t, again)
}

var expiryCases = []expiryCase{
	{
		"expired record", "an expired session is no session, is in no list, and its key is free",
		func(w *writes, prefix string, soon time.Time) {
			w.put(store.Record{Key: prefix + "key", Owner: prefix, Value: []byte("value"), Expires: soon})
			w.put(store.Record{Key: prefix + "stays", Owner: prefix, Expires: in(time.Hour)})
		},
		func(t *testing.T, f fixture, prefix string, last versions) {
			f.expired(t, prefix+"key")
			f.listed(t, prefix, prefix+"stays")
			f.reusable(t, prefix+"key", prefix, last[prefix+"key"])
			f.listed(t, prefix, prefix+"key", prefix+"stays")
		},
	},
	{
		"longer life", "an extended session stays readable and listed after its first time of expiry",
		func(w *writes, prefix string, soon time.Time) {
			w.put(store.Record{Key: prefix + "marker", Owner: prefix, Expires: soon})
			r := w.put(store.Record{Key: prefix + "key", Owner: prefix, Expires: soon})
			r.Expires = in(time.Hour)
			w.put(r)
		},
		func(t *testing.T, f fixture, prefix string, _ versions) {
			f.expired(t, prefix+"marker")
			f.create(t, prefix+"other", prefix, "value") // the store may remove expired records here
			f.get(t, f.a, prefix+"key")
			f.get(t, f.b, prefix+"key")
			f.listed(t, prefix, prefix+"key", prefix+"other")
		},
	},
	{
		"shorter life", "a shortened session ends early, as a record and in the list",
		func(w *writes, prefix string, soon time.Time) {
			r := w.put(store.Record{Key: prefix + "key", Owner: prefix, Expires: in(time.Hour)})
			for _, s := range []store.Store{w.a, w.b} { // both may cache it
				if _, err := s.Get(w.ctx, r.Key); err != nil && w.err == nil {
					w.err = err
				}
			}
			r.Expires = soon
			w.put(r)
		},
		func(t *testing.T, f fixture, prefix string, _ versions) {
			f.expired(t, prefix+"key")
			f.listed(t, prefix)
		},
	},
	{
		"tombstone", "tombstones do not pile up, and afterwards a late Put still does not create",
		func(w *writes, prefix string, soon time.Time) {
			w.put(store.Record{Key: prefix + "key", Owner: prefix, Expires: soon})
			w.delete(prefix + "key")
			if _, err := w.a.Get(w.ctx, prefix+"key"); !errors.Is(err, store.ErrDeleted) && w.err == nil {
				w.err = fmt.Errorf("Get after Delete: got %w, want ErrDeleted", err)
			}
		},
		func(t *testing.T, f fixture, prefix string, last versions) {
			f.expired(t, prefix+"key")
			f.reusable(t, prefix+"key", "another owner", last[prefix+"key"])
			f.listed(t, prefix)
			f.listed(t, "another owner", prefix+"key")
		},
	},
	{
		"tombstone of an extended record", "a sign-out holds for the longest life that the session had",
		func(w *writes, prefix string, soon time.Time) {
			w.put(store.Record{Key: prefix + "marker", Expires: soon})
			r := w.put(store.Record{Key: prefix + "key", Owner: prefix, Expires: soon})
			r.Expires = in(time.Hour)
			w.put(r)
			w.delete(prefix + "key")
		},
		func(t *testing.T, f fixture, prefix string, _ versions) {
			f.expired(t, prefix+"marker")
			f.missing(t, prefix+"key", store.ErrDeleted)
		},
	},
}

// timeCases are the cases of Record.Expires that do not wait.
var timeCases = []testCase{
	{"expiry in the past", "a writer whose clock is far behind gets an error, and does not lose a record in silence",
		func(t *testing.T, f fixture) {
			past := []time.Time{in(-time.Second), in(-24 * time.Hour), time.Unix(1, 0)}
			for _, when := range past {
				f.refused(t, f.a, store.Record{Key: "key", Owner: "owner", Expires: when}, store.ErrInvalid)
			}
			f.missing(t, "key", store.ErrNotFound)
			r := f.create(t, "key", "owner", "value")
			for _, when := range past {
				swap := r
				swap.Expires = when
				f.refused(t, f.a, swap, store.ErrInvalid)
			}
			f.same(t, r)
		}},

	{"expiry in milliseconds", "all processes see the time of expiry rounded the same way: down",
		func(t *testing.T, f fixture) {
			exact := time.Now().Add(time.Hour).Truncate(time.Second).Add(123456789 * time.Nanosecond)
			r := f.put(t, store.Record{Key: "key", Expires: exact.In(time.FixedZone("east", 3*3600))})
			r.Expires = exact.Truncate(time.Millisecond)
			f.same(t, r)
		}},
}
