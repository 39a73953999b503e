// Package storetest is the conformance suite of store.Store.
//
// A test of each store calls [Run], under -race, against the real database.
// Each case states the reason for it and logs the reason when it fails. Cases
// run in parallel. Expiry is by the clock of the database, so a run takes a
// second or more.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"b2trader.identity.auth/identity/store"
)

// An Opener returns two handles on one empty set of records, as two processes
// open one database. A store that lives in one process returns the same handle
// twice. The Opener closes the handles with t.Cleanup. Run calls it several
// times, in parallel.
type Opener func(t *testing.T) (a, b store.Store)

// patience is how long a test waits before it fails. It is long, because the
// machine may be busy.
const patience = 2 * time.Minute

// life is how long records of tests live that should not expire.
const life = time.Hour

type testCase struct {
	name   string
	reason string
	run    func(t *testing.T, f fixture)
}

// A fixture is what a case works with: two handles on the same records.
type fixture struct {
	a, b store.Store
	ctx  context.Context //nolint:containedctx // one case, one context
}

func newFixture(t *testing.T, open Opener) fixture {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 4*patience)
	a, b := open(t)
	t.Cleanup(cancel) // before the handles are closed
	return fixture{a: a, b: b, ctx: ctx}
}

// part returns the fixture of a case that shares its handles with other cases.
func (f fixture) part(name string) fixture {
	return fixture{a: prefixed{f.a, name + "/"}, b: prefixed{f.b, name + "/"}, ctx: f.ctx}
}

// Run runs the suite.
func Run(t *testing.T, open Opener) {
	t.Helper()
	shared := newFixture(t, open)
	checkExpiry := prepareExpiry(t, shared.part("expiry"))
	run := func(t *testing.T, c testCase, fixture func(t *testing.T) fixture) {
		t.Helper()
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			logReason(t, c.name, c.reason)
			c.run(t, fixture(t))
		})
	}
	t.Run("case", func(t *testing.T) { // ends when all of its parallel cases have ended
		for _, c := range slices.Concat(valueCases, versionCases, deletionCases, timeCases, ownerCases, raceCases, watchCases) {
			run(t, c, func(*testing.T) fixture { return shared.part(c.name) })
		}
		for _, c := range slices.Concat(exactCases, readerCases, callerCases, clockCases) {
			run(t, c, func(t *testing.T) fixture { return newFixture(t, open) })
		}
	})
	checkExpiry(t)
}

// logReason logs the reason for a case if it fails.
func logReason(t *testing.T, name, reason string) {
	t.Helper()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("reason for %q: %s", name, reason)
		}
	})
}

// in returns the time d from now, in the precision of a store.
func in(d time.Duration) time.Time { return time.Now().Add(d).Truncate(time.Millisecond) }

// Put stores r, which must succeed, and returns it with its new version. An
// empty Owner, Value and Expires of a new record are filled in: "owner",
// "value", and an hour from now.
func Put(t testing.TB, s store.Store, r store.Record) store.Record {
	t.Helper()
	if r.Expires.IsZero() {
		r.Expires = in(life)
	}
	if r.Version == 0 && r.Owner == "" && r.Value == nil {
		r.Owner, r.Value = "owner", []byte("value")
	}
	version, err := s.Put(t.Context(), r)
	if err != nil {
		t.Fatalf("Put(%s) = %v, want no error", describe(r), err)
	}
	r.Version = version
	return r
}

// put stores a record that must be accepted, and returns it as stored.
func (f fixture) put(t *testing.T, r store.Record) store.Record {
	t.Helper()
	v, err := f.a.Put(f.ctx, r)
	if err != nil {
		t.Fatalf("Put(%s) = %v, want no error", describe(r), err)
	}
	if v <= r.Version || v >= 1<<63 {
		t.Fatalf("Put(%s) = version %d, want a higher one below 1<<63", describe(r), v)
	}
	r.Version = v
	return r
}

// create stores a record that lives for an hour.
func (f fixture) create(t *testing.T, key, owner, value string) store.Record {
	t.Helper()
	return f.put(t, store.Record{Key: key, Owner: owner, Value: []byte(value), Expires: in(time.Hour)})
}

func (f fixture) delete(t *testing.T, key string) {
	t.Helper()
	if err := f.a.Delete(f.ctx, key); err != nil {
		t.Fatalf("Delete(%q) = %v, want no error", key, err)
	}
}

// swapped returns the fixture with the two handles swapped.
func (f fixture) swapped() fixture { return fixture{a: f.b, b: f.a, ctx: f.ctx} }

// refused checks that s refuses to put r with the error want.
func (f fixture) refused(t *testing.T, s store.Store, r store.Record, want error) {
	t.Helper()
	_, err := s.Put(f.ctx, r)
	if !errors.Is(err, want) {
		t.Logf("Put(%s)", describe(r))
	}
	checkError(t, err, want)
}

// same checks that a, the writer of want, returns it at once, and that b
// returns it after the change notification.
func (f fixture) same(t *testing.T, want store.Record) {
	t.Helper()
	checkRecord(t, f.get(t, f.a, want.Key), want)
	f.reaches(t, f.b, want)
}

func (f fixture) get(t *testing.T, s store.Store, key string) store.Record {
	t.Helper()
	r, err := s.Get(f.ctx, key)
	if err != nil {
		t.Fatalf("Get(%q) = %v, want the record", key, err)
	}
	return r
}

// reaches waits until s returns want.
func (f fixture) reaches(t *testing.T, s store.Store, want store.Record) {
	t.Helper()
	Until(t, func() bool {
		got, err := s.Get(f.ctx, want.Key)
		return err == nil && got.Version >= want.Version
	})
	checkRecord(t, f.get(t, s, want.Key), want)
}

func checkRecord(t *testing.T, got, want store.Record) {
	t.Helper()
	if got.Key != want.Key || got.Owner != want.Owner || got.Version != want.Version ||
		string(got.Value) != string(want.Value) || !got.Expires.Equal(want.Expires) {
		t.Fatalf("got %s\nwant %s", describe(got), describe(want))
	}
}

// missing checks that Get fails with want: for a, the writer, at once, and for
// b after the change notification.
func (f fixture) missing(t *testing.T, key string, want error) {
	t.Helper()
	_, err := f.a.Get(f.ctx, key)
	checkError(t, err, want)
	Until(t, func() bool {
		_, err := f.b.Get(f.ctx, key)
		return errors.Is(err, want)
	})
}

// listed checks which keys both handles list.
func (f fixture) listed(t *testing.T, owner string, want ...string) {
	t.Helper()
	slices.Sort(want)
	for _, s := range []store.Store{f.a, f.b} {
		list, err := s.List(f.ctx, owner)
		if err != nil {
			t.Fatalf("List(%q) = %v, want no error", owner, err)
		}
		got := make([]string, 0, len(list))
		for _, r := range list {
			got = append(got, r.Key)
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Fatalf("List(%q) = %q, want %q", owner, got, want)
		}
	}
}

// Until waits for a condition. It checks every few milliseconds at first, and
// later ten times a second. The test fails after two minutes.
func Until(tb testing.TB, condition func() bool) {
	tb.Helper()
	began, pause := time.Now(), 5*time.Millisecond
	for !condition() {
		if time.Since(began) > patience {
			tb.Fatalf("the condition is not true after %v", patience)
		}
		<-time.After(pause)
		pause = min(2*pause, 100*time.Millisecond)
	}
}

// checkError checks that err is want and none of the other answers.
func checkError(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got error %v, want %v", err, want)
	}
	for _, other := range []error{store.ErrNotFound, store.ErrDeleted, store.ErrConflict, store.ErrInvalid, store.ErrUnavailable} {
		if !errors.Is(other, want) && errors.Is(err, other) {
			t.Fatalf("error %v is both %v and %v", err, want, other)
		}
	}
}

// closeStore closes s if it has a method Close.
func closeStore(t *testing.T, s store.Store) bool {
	t.Helper()
	c, ok := s.(io.Closer)
	if ok {
		if err := c.Close(); err != nil {
			t.Fatalf("Close() = %v, want no error", err)
		}
	}
	return ok
}

// describe shows a record in one line, with the first 64 bytes of its value.
func describe(r store.Record) string {
	value := r.Value[:min(len(r.Value), 64)]
	return fmt.Sprintf("key %q owner %q version %d expires %s, %d bytes: %q",
		r.Key, r.Owner, r.Version, r.Expires.UTC().Format(time.RFC3339Nano), len(r.Value), value)
}
