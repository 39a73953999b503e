package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"b2trader.identity.auth/identity/store"
)

var watchCases = []testCase{
	{"watch begins with Synced", "a cache must know from when on it may trust what it holds",
		func(t *testing.T, f fixture) {
			f.create(t, "before", "owner", "value")
			w := f.watch(t, f.a)
			w.next(t, synced)
		}},

	{"watch sees all processes", "a sign-out on one replica closes streams on the other, and a refresh reaches its cache",
		func(t *testing.T, f fixture) {
			here, there := f.watch(t, f.a), f.watch(t, f.b)
			here.next(t, synced)
			there.next(t, synced)
			for _, w := range []*watcher{here, there} {
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
						t.Fatalf("deletion has version %d, the record had %d", e.Version, v)
					}
				}
			}
		}},

	{"no read is older than the event before it", "a reader that is told of a version and reads an older one keeps it for good",
		func(t *testing.T, f fixture) {
			w := f.watch(t, f.b)
			w.next(t, synced)
			r := f.create(t, "key", "owner", "value")
			for i := range 200 {
				r.Value = fmt.Append(nil, i)
				r = f.put(t, r)
				e := w.next(t, change(store.Changed, "key", r.Version))
				got, err := f.b.Get(f.ctx, "key")
				if err != nil || got.Version < e.Version {
					t.Fatalf("told of version %d, then read %d, %v", e.Version, got.Version, err)
				}
			}
			f.delete(t, "key")
			w.next(t, of(store.Deleted, "key"))
			_, err := f.b.Get(f.ctx, "key")
			checkError(t, err, store.ErrDeleted)
		}},

	{"refused writes are not reported", "an event that names no change makes caches read in vain",
		func(t *testing.T, f fixture) {
			r := f.create(t, "key", "owner", "value")
			w := f.watch(t, f.a)
			w.next(t, synced)
			_, err := f.a.Put(f.ctx, store.Record{Key: "key", Owner: "owner", Version: r.Version + 1, Expires: in(time.Hour)})
			checkError(t, err, store.ErrConflict)
			f.delete(t, "nothing")
			last := f.create(t, "last", "owner", "value")
			w.next(t, func(e store.Event) bool {
				if e.Kind != store.Synced && e.Version != last.Version && e.Version != r.Version {
					t.Fatalf("reported %s of %q", e.Kind, e.Key)
				}
				return e.Version == last.Version
			})
		}},

	{"slow reader", "a reader that does not keep up must not hold up the store, and must learn that it missed something",
		func(t *testing.T, f fixture) {
			const n = 1000
			unseen := map[string]bool{}
			var started, missed bool
			for e := range f.b.Watch(f.ctx) {
				switch {
				case e.Kind == store.Synced && !started: // and now the reader is busy
					started = true
					f.createMany(t, n, unseen)
				case e.Kind == store.Synced:
					missed = true
				default:
					delete(unseen, e.Key)
				}
				if missed || len(unseen) == 0 {
					return
				}
			}
			t.Fatalf("%d of %d events are missing and no Synced came", len(unseen), n)
		}},

	{"watch ends with its context", "a stream that its browser left must not keep a reader",
		func(t *testing.T, f fixture) {
			ctx, cancel := context.WithCancel(f.ctx)
			w := fixture{a: f.a, b: f.b, ctx: ctx}.watch(t, f.a)
			w.next(t, synced)
			cancel()
			w.ended(t)
		}},
}

// createMany creates n records, a few at a time, and adds their keys to created.
func (f fixture) createMany(t *testing.T, n int, created map[string]bool) {
	t.Helper()
	var running errgroup.Group
	running.SetLimit(8)
	for i := range n {
		key := fmt.Sprint("key ", i)
		created[key] = true
		running.Go(func() error {
			_, err := f.a.Put(f.ctx, store.Record{Key: key, Expires: in(time.Hour)})
			return err
		})
	}
	if err := running.Wait(); err != nil {
		t.Fatal(err)
	}
}

// A watcher passes on the events of one watch.
type watcher struct{ events chan store.Event }

func (f fixture) watch(t *testing.T, s store.Store) *watcher {
	t.Helper()
	ctx, cancel := context.WithCancel(f.ctx)
	w := &watcher{events: make(chan store.Event, 1<<12)}
	go func() {
		defer close(w.events)
		for e := range s.Watch(ctx) {
			w.events <- e
		}
	}()
	t.Cleanup(func() {
		cancel()
		for range w.events {
			continue // until the watch ends
		}
	})
	return w
}

// next returns the first event that fits and skips all others: events may be repeated.
func (w *watcher) next(t *testing.T, fits func(store.Event) bool) store.Event {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for {
		select {
		case e, open := <-w.events:
			if !open {
				t.Fatal("watch ended")
			}
			if fits(e) {
				return e
			}
		case <-deadline.C:
			t.Fatal("waited for an event in vain")
		}
	}
}

func (w *watcher) ended(t *testing.T) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for {
		select {
		case _, open := <-w.events:
			if !open {
				return
			}
		case <-deadline.C:
			t.Fatal("watch did not end")
		}
	}
}

func synced(e store.Event) bool { return e.Kind == store.Synced }

func change(kind store.Kind, key string, version uint64) func(store.Event) bool {
	return func(e store.Event) bool { return e.Kind == kind && e.Key == key && e.Version == version }
}

func of(kind store.Kind, key string) func(store.Event) bool {
	return func(e store.Event) bool { return e.Kind == kind && e.Key == key }
}
