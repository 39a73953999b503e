package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"b2trader.identity.auth/identity/store"
)

var watchCases = []testCase{
	{"watch begins with Synced", "a cache knows from when on its records are current",
		func(t *testing.T, f fixture) {
			f.create(t, "before", "owner", "value")
			w := f.watch(t, f.a)
			w.Await(t, store.Synced)
		}},

	{"watch reports the changes of all processes", "a sign-out on one replica closes streams on the other, and a refresh reaches its cache",
		func(t *testing.T, f fixture) {
			here, there := f.watch(t, f.a), f.watch(t, f.b)
			here.Await(t, store.Synced)
			there.Await(t, store.Synced)
			for _, w := range []*Observer{here, there} {
				for i, s := range []store.Store{f.a, f.b} {
					key := binary + fmt.Sprint(w == here, i)
					r := store.Record{Key: key, Owner: "owner", Value: []byte("value"), Expires: in(time.Hour)}
					v, err := s.Put(f.ctx, r)
					if err != nil {
						t.Fatal(err)
					}
					w.next(t, change(store.Changed, key, v))
					if err := s.Delete(f.ctx, key); err != nil {
						t.Fatal(err)
					}
					if e := w.next(t, of(store.Deleted, key)); e.Version <= v {
						t.Fatalf("Deleted(%q) has version %d, want above %d of the record", key, e.Version, v)
					}
				}
			}
		}},

	{"no read is older than the event before it", "a reader that reads an older version after an event keeps it for good",
		func(t *testing.T, f fixture) {
			w := f.watch(t, f.b)
			w.Await(t, store.Synced)
			r := f.create(t, "key", "owner", "value")
			var running errgroup.Group
			running.Go(func() (err error) { // writes while the reader reads
				for range 200 {
					if r.Version, err = f.a.Put(f.ctx, r); err != nil {
						return err
					}
				}
				return f.a.Delete(f.ctx, "key")
			})
			w.next(t, func(e store.Event) bool {
				got, err := f.b.Get(f.ctx, "key")
				if !errors.Is(err, store.ErrDeleted) && (err != nil || got.Version < e.Version) {
					t.Fatalf("Get after the event of version %d = version %d, %v, want no older version", e.Version, got.Version, err)
				}
				if e.Kind == store.Deleted {
					checkError(t, err, store.ErrDeleted)
				}
				return e.Kind == store.Deleted
			})
			if err := running.Wait(); err != nil {
				t.Fatal(err)
			}
		}},

	{"signs of life follow the changes before them", "a cache answers from memory only up to a sign of life, so a change that comes later is not seen in time",
		func(t *testing.T, f fixture) { // field 41
			w := f.watch(t, f.b)
			e := w.Await(t, store.Synced)
			r := f.create(t, "key", "owner", "value")
			for began := time.Now(); e.At.Before(began); {
				switch e = w.next(t, func(store.Event) bool { return true }); {
				case e.Kind == store.Lost:
					r.Version = 0 // it may not be reported
				case e.Kind == store.Changed && e.Version == r.Version:
					r.Version = 0
				case e.Kind == store.Alive && e.At.After(time.Now()):
					t.Errorf("Alive.At = %v, want a time in the past, now %v", e.At, time.Now())
				}
			}
			if e.Kind == store.Alive && r.Version != 0 {
				t.Errorf("a sign of life of %v came before the change that was made before", e.At)
			}
		}},

	{"refused writes are not reported", "an event without a change makes caches read again for nothing",
		func(t *testing.T, f fixture) {
			r := f.create(t, "key", "owner", "value")
			w := f.watch(t, f.a)
			w.Await(t, store.Synced)
			_, err := f.a.Put(f.ctx, store.Record{Key: "key", Owner: "owner", Version: r.Version + 1, Expires: in(time.Hour)})
			checkError(t, err, store.ErrConflict)
			f.delete(t, "nothing")
			last := f.create(t, "last", "owner", "value")
			w.next(t, func(e store.Event) bool {
				if e.Key != "" && e.Version != last.Version && e.Version != r.Version {
					t.Fatalf("got event %s of %q, want none for a refused write", e.Kind, e.Key)
				}
				return e.Version == last.Version
			})
		}},

	{"watch ends with its context", "a stream whose browser has gone keeps no reader",
		func(t *testing.T, f fixture) {
			ctx, cancel := context.WithCancel(f.ctx)
			w := fixture{a: f.a, b: f.b, ctx: ctx}.watch(t, f.a)
			w.Await(t, store.Synced)
			cancel()
			w.ended(t)
		}},
}

// readerCases have handles of their own, because they need new ones or flood
// their readers.
var readerCases = []testCase{
	{"a healthy start is no interruption", "a start that warns of an interruption sends the operator to look for a fault",
		func(t *testing.T, f fixture) {
			w := f.watch(t, f.a)
			e := w.next(t, func(store.Event) bool { return true })
			if e.Kind != store.Synced {
				t.Errorf("a watch of a new store begins with %v, %v, want synced", e.Kind, e.Err)
			}
			for began := time.Now(); e.At.Before(began); e = w.next(t, func(store.Event) bool { return true }) {
				if e.Kind == store.Lost {
					t.Errorf("the watch was interrupted at the start: %v", e.Err)
				}
			}
		}},

	{"slow reader", "a reader that does not keep up does not block the store, and learns that it missed events",
		func(t *testing.T, f fixture) {
			const n = 1000
			unseen := map[string]bool{}
			var started, missed bool
			for e := range f.b.Watch(f.ctx) {
				switch {
				case e.Kind == store.Synced && !started: // the reader is busy from now on
					started = true
					for i := range n {
						unseen[fmt.Sprint("key ", i)] = true
					}
					inParallel(t, n, func(i int) error {
						_, err := f.a.Put(f.ctx, store.Record{Key: fmt.Sprint("key ", i), Expires: in(time.Hour)})
						return err
					})
				case e.Kind == store.Synced:
					missed = true
				default:
					delete(unseen, e.Key)
				}
				if missed || len(unseen) == 0 {
					return
				}
			}
			t.Fatalf("%d of %d events are missing, want all or Synced", len(unseen), n)
		}},
}

func (f fixture) watch(t *testing.T, s store.Store) *Observer {
	t.Helper()
	return observe(f.ctx, t, s)
}

// An Observer reads the events of a watch for a test.
type Observer struct{ events chan store.Event }

// Observe watches s until the test ends.
func Observe(t *testing.T, s store.Store) *Observer {
	t.Helper()
	return observe(t.Context(), t, s)
}

func observe(ctx context.Context, t *testing.T, s store.Store) *Observer {
	t.Helper()
	ctx, cancel := context.WithCancel(ctx)
	o := &Observer{events: make(chan store.Event, 1<<12)}
	go func() {
		defer close(o.events)
		for e := range s.Watch(ctx) {
			o.events <- e
		}
	}()
	t.Cleanup(func() {
		cancel()
		for range o.events {
			continue // until the watch ends
		}
	})
	return o
}

// Await returns the next event of a kind and skips all others.
func (o *Observer) Await(t *testing.T, kind store.EventKind) store.Event {
	t.Helper()
	return o.next(t, func(e store.Event) bool { return e.Kind == kind })
}

// next returns the first event that fits and skips all others, because events
// may be repeated.
func (o *Observer) next(t *testing.T, fits func(store.Event) bool) store.Event {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for {
		select {
		case e, open := <-o.events:
			if !open {
				t.Fatal("the watch ended, want an event")
			}
			if fits(e) {
				return e
			}
		case <-deadline.C:
			t.Fatalf("no such event within %v", patience)
		}
	}
}

// ended waits until the watch has ended.
func (o *Observer) ended(t *testing.T) {
	t.Helper()
	Until(t, func() bool {
		select {
		case _, open := <-o.events:
			return !open
		default:
			return false
		}
	})
}

func change(kind store.EventKind, key string, version uint64) func(store.Event) bool {
	return func(e store.Event) bool { return e.Kind == kind && e.Key == key && e.Version == version }
}

func of(kind store.EventKind, key string) func(store.Event) bool {
	return func(e store.Event) bool { return e.Kind == kind && e.Key == key }
}
