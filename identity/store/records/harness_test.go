package records_test

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/records"
)

// testStore counts reads, and can hold them, fail, or replace the watch.
type testStore struct {
	store.Store
	reads     atomic.Int64
	watches   atomic.Int64
	hold      atomic.Pointer[chan struct{}] // a read waits for it after it has read
	down      atomic.Bool
	conflicts atomic.Int64     // how many writes still lose against another writer
	events    chan store.Event // if set, in place of the store's own
}

var errDown = errors.New("down")

func (s *testStore) Get(ctx context.Context, key string) (store.Record, error) {
	s.reads.Add(1)
	r, err := s.Store.Get(ctx, key)
	if gate := s.hold.Load(); gate != nil {
		<-*gate
	}
	if s.down.Load() {
		return store.Record{}, store.NewFault(ctx, "get", errDown)
	}
	return r, err
}

func (s *testStore) Put(ctx context.Context, r store.Record) (uint64, error) {
	if s.conflicts.Add(-1) >= 0 {
		return 0, store.ErrConflict
	}
	return s.Store.Put(ctx, r)
}

func (s *testStore) Watch(ctx context.Context) iter.Seq[store.Event] {
	s.watches.Add(1)
	if s.events == nil {
		return s.Store.Watch(ctx)
	}
	return func(yield func(store.Event) bool) {
		for {
			select {
			case e := <-s.events:
				if !yield(e) {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}
}

// report sends an event of the replaced watch. Synced is a sign of life that
// does not age.
func (s *testStore) report(k store.EventKind) {
	s.events <- store.Event{Kind: k, At: time.Now().Add(24 * time.Hour)}
	synctest.Wait()
}

// alive sends a sign of life of the replaced watch.
func (s *testStore) alive(k store.EventKind, at time.Time) {
	s.events <- store.Event{Kind: k, At: at}
	synctest.Wait()
}

// A hanging store waits until the context of the call ends.
type hanging struct{ store.Store }

func (h *hanging) wait(ctx context.Context) error {
	<-ctx.Done()
	return store.NewFault(ctx, "call", ctx.Err())
}

func (h *hanging) Get(ctx context.Context, _ string) (store.Record, error) {
	return store.Record{}, h.wait(ctx)
}
func (h *hanging) Put(ctx context.Context, _ store.Record) (uint64, error) { return 0, h.wait(ctx) }
func (h *hanging) Delete(ctx context.Context, _ string) error              { return h.wait(ctx) }
func (h *hanging) List(ctx context.Context, _ string) ([]store.Record, error) {
	return nil, h.wait(ctx)
}

var testKey = records.NewKey("test")

func open(t *testing.T, s store.Store, keys ...records.Key) *records.Cache {
	t.Helper()
	if keys == nil {
		keys = []records.Key{testKey}
	}
	c, err := records.Open(records.Config{Store: s, Keys: keys, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	synctest.Wait() // the watch is up
	return c
}

// texts is a kind of records whose values are strings.
type texts struct {
	*testing.T
	*records.Kind[string]
	id records.ID
}

func openTexts(t *testing.T, s store.Store) texts {
	t.Helper()
	k := records.NewKind(open(t, s), "text:", records.JSON[string]())
	return texts{t, k, k.ID("key")}
}

func (k texts) record(version uint64, value string) records.Record[string] {
	return records.Record[string]{ID: k.id, Owner: k.Owner("owner"), Version: version, Value: value, Expires: time.Now().Add(time.Hour)}
}

func (k texts) put(version uint64, value string) *records.Record[string] {
	k.Helper()
	r, err := k.Put(k.Context(), k.record(version, value))
	if err != nil {
		k.Fatalf("Put(version %d, %q) = %v, want no error", version, value, err)
	}
	return r
}

func (k texts) wants(value string) {
	k.Helper()
	if r, err := k.Get(k.Context(), k.id); err != nil || r.Value != value {
		k.Fatalf("Get = %q, %v, want %q", valueOf(r), err, value)
	}
}

// valueOf returns the value of a record, which does not print it.
func valueOf(r *records.Record[string]) string {
	if r == nil {
		return ""
	}
	return r.Value
}

func (k texts) wantsError(want error) {
	k.Helper()
	if r, err := k.Get(k.Context(), k.id); !errors.Is(err, want) {
		k.Fatalf("Get = %+v, %v, want %v", r, err, want)
	}
}

// held counts the records in memory.
func (k texts) held() (n int) {
	for range k.Held() {
		n++
	}
	return n
}
