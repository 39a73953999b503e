// Package storetest is the conformance suite of store.Store.
//
// Whoever writes a store calls Run from a test of that store, under -race, against the real database. Each case
// states why it is there and shows it when it fails. Cases run in parallel and take a few seconds, because expiry is
// by the clock of the database.
package storetest

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"b2trader.identity.auth/identity/store"
)

// An Opener returns two handles on one empty set of records, the way two processes open one database. A store that
// lives in one process returns itself twice. It closes them with t.Cleanup. Run calls it once per case, in parallel.
type Opener func(t *testing.T) (a, b store.Store)

// patience is how long anything may take that is not about time.
const patience = 30 * time.Second

// life is that of a record which a case wants to see expire: long enough for a few calls on a slow machine.
const life = 2 * time.Second

type testCase struct {
	name   string
	reason string
	run    func(t *testing.T, f fixture)
}

// A fixture is what a case works with.
type fixture struct {
	a, b store.Store
	ctx  context.Context //nolint:containedctx // one case, one context
}

// Run runs the suite.
func Run(t *testing.T, open Opener) {
	t.Helper()
	for _, cases := range [][]testCase{valueCases, versionCases, deletionCases, expiryCases, ownerCases, raceCases, watchCases, callerCases} {
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 2*patience)
				a, b := open(t)
				t.Cleanup(func() {
					cancel()
					if t.Failed() {
						t.Logf("%s is tested because %s", c.name, c.reason)
					}
				})
				c.run(t, fixture{a: a, b: b, ctx: ctx})
			})
		}
	}
}

// in returns the moment d from now, in the precision of a store.
func in(d time.Duration) time.Time { return time.Now().Add(d).Truncate(time.Millisecond) }

// put stores a record that must be accepted, and returns it as stored.
func (f fixture) put(t *testing.T, r store.Record) store.Record {
	t.Helper()
	v, err := f.a.Put(f.ctx, r)
	if err != nil {
		t.Fatalf("Put: %v", err)
	}
	if v <= r.Version || v >= 1<<63 {
		t.Fatalf("Put gave version %d after %d", v, r.Version)
	}
	r.Version = v
	return r
}

// create stores a record that lives for an hour.
func (f fixture) create(t *testing.T, key, owner, value string) store.Record {
	t.Helper()
	return f.put(t, store.Record{Key: key, Owner: owner, Value: []byte(value), Expires: in(time.Hour)})
}

// same checks that a, which wrote r, returns it at once and b as soon as it is told.
func (f fixture) same(t *testing.T, want store.Record) {
	t.Helper()
	got, err := f.a.Get(f.ctx, want.Key)
	if err != nil {
		t.Fatalf("Get: %v", err)
	}
	checkRecord(t, got, want)
	f.reaches(t, f.b, want)
}

// reaches waits until s returns want.
func (f fixture) reaches(t *testing.T, s store.Store, want store.Record) {
	t.Helper()
	until(t, func() bool {
		got, err := s.Get(f.ctx, want.Key)
		return err == nil && got.Version >= want.Version
	})
	got, err := s.Get(f.ctx, want.Key)
	if err != nil {
		t.Fatalf("Get: %v", err)
	}
	checkRecord(t, got, want)
}

func checkRecord(t *testing.T, got, want store.Record) {
	t.Helper()
	if got.Key != want.Key || got.Owner != want.Owner || got.Version != want.Version ||
		string(got.Value) != string(want.Value) || !got.Expires.Equal(want.Expires) {
		t.Fatalf("got %s\nwant %s", describe(got), describe(want))
	}
}

// gone checks that Get fails with want: at once for a, which did it, and for b as soon as it is told.
func (f fixture) gone(t *testing.T, key string, want error) {
	t.Helper()
	_, err := f.a.Get(f.ctx, key)
	checkError(t, err, want)
	until(t, func() bool {
		_, err := f.b.Get(f.ctx, key)
		return errors.Is(err, want)
	})
}

// listed checks which keys both handles list.
func (f fixture) listed(t *testing.T, owner string, want ...string) {
	t.Helper()
	for _, s := range []store.Store{f.a, f.b} {
		list, err := s.List(f.ctx, owner)
		if err != nil {
			t.Fatalf("List: %v", err)
		}
		if got := keys(list); !equal(got, want) {
			t.Fatalf("List gave %q, want %q", got, want)
		}
	}
}

// expired waits until key has expired for both handles.
func (f fixture) expired(t *testing.T, key string) {
	t.Helper()
	until(t, func() bool {
		_, errA := f.a.Get(f.ctx, key)
		_, errB := f.b.Get(f.ctx, key)
		return errors.Is(errA, store.ErrNotFound) && errors.Is(errB, store.ErrNotFound)
	})
}

// until waits for a condition.
func until(t *testing.T, condition func() bool) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatal("waited in vain")
		}
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

// closeStore closes s if it can be closed.
func closeStore(t *testing.T, s store.Store) bool {
	t.Helper()
	c, ok := s.(io.Closer)
	if ok {
		if err := c.Close(); err != nil {
			t.Fatalf("Close: %v", err)
		}
	}
	return ok
}
