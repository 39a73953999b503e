package mirror_test

import (
	"context"
	"errors"
	"iter"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/store/mirror"
)

// counted counts reads, and can hold them or interrupt the watch.
type counted struct {
	store.Store
	reads  atomic.Int64
	hold   atomic.Pointer[chan struct{}] // a read waits for it after it has read
	events chan store.Event              // if set, in place of the store's own
}

func (c *counted) Get(ctx context.Context, key string) (store.Record, error) {
	c.reads.Add(1)
	r, err := c.Store.Get(ctx, key)
	if gate := c.hold.Load(); gate != nil {
		<-*gate
	}
	return r, err
}

func (c *counted) Watch(ctx context.Context) iter.Seq[store.Event] {
	if c.events == nil {
		return c.Store.Watch(ctx)
	}
	return func(yield func(store.Event) bool) {
		for {
			select {
			case e := <-c.events:
				if !yield(e) {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}
}

func open(t *testing.T, s store.Store) *mirror.Mirror[string] {
	t.Helper()
	m := mirror.New(mirror.Config[string]{
		Store:  s,
		Encode: func(_, value string) ([]byte, error) { return []byte(value), nil },
		Decode: func(_ string, stored []byte) (string, error) { return string(stored), nil },
	})
	t.Cleanup(m.Close)
	synctest.Wait() // the watch is up
	return m
}

func put(t *testing.T, m *mirror.Mirror[string], version uint64, value string) *mirror.Copy[string] {
	t.Helper()
	c, err := m.Put(t.Context(), mirror.Copy[string]{Key: "key", Owner: "owner", Version: version, Value: value, Expires: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func wants(t *testing.T, m *mirror.Mirror[string], want string) {
	t.Helper()
	c, err := m.Get(t.Context(), "key")
	if err != nil || c.Value != want {
		t.Fatalf("got %v, %v, want %q", c, err, want)
	}
}

func TestReadsFromMemoryWhatDidNotChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &counted{Store: memstore.New()}
		here, there := open(t, s), open(t, s)
		first := put(t, here, 0, "one")
		synctest.Wait()
		for range 10 {
			wants(t, here, "one")
		}
		if n := s.reads.Load(); n != 0 {
			t.Errorf("%d reads of what this process wrote", n)
		}
		wants(t, there, "one")
		put(t, here, first.Version, "two")
		synctest.Wait()
		for range 10 {
			wants(t, there, "two")
		}
		if n := s.reads.Load(); n != 2 {
			t.Errorf("%d reads, want one before the change and one after", n)
		}
		if _, err := there.Put(t.Context(), mirror.Copy[string]{Key: "key", Owner: "owner", Version: first.Version, Value: "old", Expires: time.Now().Add(time.Hour)}); !errors.Is(err, store.ErrConflict) {
			t.Errorf("an older copy is written: %v", err)
		}
	})
}

func TestDeletedElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New()
		here, there := open(t, s), open(t, s)
		put(t, here, 0, "one")
		wants(t, there, "one")
		if err := here.Delete(t.Context(), "key"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		for name, m := range map[string]*mirror.Mirror[string]{"here": here, "there": there} {
			if _, err := m.Get(t.Context(), "key"); !errors.Is(err, store.ErrDeleted) {
				t.Errorf("%s: %v", name, err)
			}
		}
		for range there.Held() {
			t.Error("a deleted record is still held")
		}
	})
}

// A read that began before a deletion, or a change, must not bring back what it read.
func TestSlowRead(t *testing.T) {
	for name, act := range map[string]func(context.Context, *mirror.Mirror[string], uint64) error{
		"deleted": func(ctx context.Context, m *mirror.Mirror[string], _ uint64) error { return m.Delete(ctx, "key") },
		"changed": func(ctx context.Context, m *mirror.Mirror[string], version uint64) error {
			_, err := m.Put(ctx, mirror.Copy[string]{Key: "key", Owner: "owner", Version: version, Value: "new", Expires: time.Now().Add(time.Hour)})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				memory := memstore.New()
				slow := &counted{Store: memory}
				here, there := open(t, memory), open(t, slow)
				first := put(t, here, 0, "old")
				gate, done := make(chan struct{}), make(chan struct{})
				slow.hold.Store(&gate)
				go func() { defer close(done); wants(t, there, "old") }()
				synctest.Wait()
				if err := act(t.Context(), here, first.Version); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				close(gate)
				<-done
				slow.hold.Store(nil)
				if c, err := there.Get(t.Context(), "key"); err == nil && c.Value == "old" {
					t.Error("what was read before is taken for current")
				}
			})
		})
	}
}

func TestInterruptedWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &counted{Store: memstore.New(), events: make(chan store.Event)}
		m := open(t, s)
		report := func(k store.Kind) { s.events <- store.Event{Kind: k}; synctest.Wait() }
		put(t, m, 0, "one")
		wants(t, m, "one")
		wants(t, m, "one")
		if n := s.reads.Swap(0); n != 2 {
			t.Errorf("%d reads before the watch is up, want 2", n)
		}
		report(store.Synced)
		wants(t, m, "one")
		wants(t, m, "one")
		if n := s.reads.Swap(0); n != 1 {
			t.Errorf("%d reads while the watch is up, want 1", n)
		}
		report(store.Lost)
		wants(t, m, "one")
		wants(t, m, "one")
		if n := s.reads.Load(); n != 2 {
			t.Errorf("%d reads while the watch is down, want 2", n)
		}
		report(store.Synced)
		wants(t, m, "one")
		wants(t, m, "one")
		if n := s.reads.Load(); n != 3 {
			t.Errorf("%d reads after it is up again, want one more", n)
		}
	})
}

// Whoever was refused by the store knows that what it holds is out of date, even if nobody has reported that yet.
func TestRefusedWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory := memstore.New()
		silent := &counted{Store: memory, events: make(chan store.Event)}
		here, there := open(t, memory), open(t, silent)
		silent.events <- store.Event{Kind: store.Synced}
		synctest.Wait()
		first := put(t, here, 0, "one")
		wants(t, there, "one")
		put(t, here, first.Version, "two")
		wants(t, there, "one") // it was not told
		late := mirror.Copy[string]{Key: "key", Owner: "owner", Version: first.Version, Value: "late", Expires: time.Now().Add(time.Hour)}
		if _, err := there.Put(t.Context(), late); !errors.Is(err, store.ErrConflict) {
			t.Fatal(err)
		}
		wants(t, there, "two")
		if err := here.Delete(t.Context(), "key"); err != nil {
			t.Fatal(err)
		}
		if _, err := there.Put(t.Context(), late); !errors.Is(err, store.ErrDeleted) {
			t.Fatal(err)
		}
		if _, err := there.Get(t.Context(), "key"); !mirror.Gone(err) {
			t.Error("what was deleted is still read")
		}
	})
}
