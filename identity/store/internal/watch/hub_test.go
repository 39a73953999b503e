package watch

import (
	"context"
	"errors"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/store"
)

// read returns a function that reads one event, so that a test decides when the
// reader is slow.
func read(t *testing.T, h *Hub, ctx context.Context) func() store.Event { //nolint:revive // t comes first in tests
	t.Helper()
	next, stop := iter.Pull(h.Watch(ctx))
	t.Cleanup(stop)
	return func() store.Event {
		e, ok := next()
		if !ok {
			t.Fatal("the watch ended, want an event")
		}
		return e
	}
}

func changed(version uint64) store.Event {
	return store.Event{Kind: store.Changed, Key: "key", Version: version}
}

func TestReaderGetsTheState(t *testing.T) {
	down := errors.New("down")
	var h Hub
	h.Synced(time.Now())
	if e := read(t, &h, t.Context())(); e.Kind != store.Synced {
		t.Errorf("got %+v after Synced, want Synced", e)
	}
	h.Lost(down)
	if e := read(t, &h, t.Context())(); e.Kind != store.Lost || !errors.Is(e.Err, down) {
		t.Errorf("got %+v after Lost(%v), want that Lost", e, down)
	}
}

// A reader that is there before the first connection learns of it when it stands
// or fails.
func TestFirstConnection(t *testing.T) {
	for _, down := range []error{nil, errors.New("down")} {
		synctest.Test(t, func(t *testing.T) {
			var h Hub
			var got []store.Event
			go func() {
				for e := range h.Watch(t.Context()) {
					got = append(got, e)
				}
			}()
			synctest.Wait()
			if len(got) != 0 {
				t.Errorf("got %+v before the first connection, want nothing", got)
			}
			want := store.Synced
			if down == nil {
				h.Synced(time.Now())
			} else {
				want = store.Lost
				h.Lost(down)
			}
			synctest.Wait()
			if len(got) != 1 || got[0].Kind != want || !errors.Is(got[0].Err, down) {
				t.Errorf("got %+v of the first connection, want %v with %v", got, want, down)
			}
		})
	}
}

func TestInterruption(t *testing.T) {
	var h Hub
	h.Synced(time.Now())
	next := read(t, &h, t.Context())
	next()
	h.Publish(changed(1))
	if e := next(); e.Version != 1 {
		t.Fatalf("got %+v, want version 1", e)
	}
	h.Lost(errors.New("first"))
	h.Lost(errors.New("second")) // a failed attempt to reconnect is not reported
	h.Publish(changed(2))        // not reported
	if e := next(); e.Kind != store.Lost || e.Err.Error() != "first" {
		t.Fatalf("got %+v, want Lost with the first reason", e)
	}
	h.Synced(time.Now())
	h.Publish(changed(3))
	if e := next(); e.Kind != store.Synced {
		t.Fatalf("got %+v, want Synced", e)
	}
	if e := next(); e.Version != 3 {
		t.Fatalf("got %+v, want version 3", e)
	}
}

func TestSlowReaderStartsOver(t *testing.T) {
	var h Hub
	h.Synced(time.Now())
	next := read(t, &h, t.Context())
	next()
	for v := range uint64(Buffer + 2) {
		h.Publish(changed(v + 1))
	}
	if e := next(); e.Kind != store.Synced {
		t.Fatalf("got %+v, want Synced for the %d events that were dropped", e, Buffer)
	}
	if e := next(); e.Version != Buffer+2 {
		t.Fatalf("got %+v, want the event after the overflow", e)
	}
}

// A sign of life comes after the changes before it. Unread ones are replaced.
func TestSignOfLife(t *testing.T) { // field 41
	at := time.Now()
	var h Hub
	h.Synced(at)
	next := read(t, &h, t.Context())
	if e := next(); !e.At.Equal(at) {
		t.Errorf("Synced.At = %v, want %v", e.At, at)
	}
	h.Publish(changed(1))
	h.Alive(at.Add(1))
	h.Alive(at.Add(2))
	h.Publish(changed(2))
	if e := next(); e.Version != 1 {
		t.Errorf("got %+v, want version 1", e)
	}
	if e := next(); e.Kind != store.Alive || !e.At.Equal(at.Add(2)) {
		t.Errorf("got %+v, want the second sign of life, at %v", e, at.Add(2))
	}
	if e := next(); e.Version != 2 {
		t.Errorf("got %+v, want version 2", e)
	}
	if e := read(t, &h, t.Context())(); !e.At.Equal(at.Add(2)) {
		t.Errorf("Synced.At of a later reader = %v, want %v", e.At, at.Add(2))
	}
	h.Lost(errors.New("down"))
	h.Alive(at.Add(3))
	if e := next(); e.Kind != store.Lost {
		t.Errorf("got %+v, want Lost", e)
	}
	h.Synced(at.Add(4))
	if e := next(); e.Kind != store.Synced {
		t.Errorf("got %+v after a sign of life during the interruption, want Synced", e)
	}
}

func TestBreakEndsTheWatch(t *testing.T) {
	var h Hub
	h.Synced(time.Now())
	for range h.Watch(t.Context()) {
		if len(h.readers) != 1 {
			t.Errorf("%d readers during a watch, want 1", len(h.readers))
		}
		break
	}
	if len(h.readers) != 0 {
		t.Errorf("%d readers after the watch, want none", len(h.readers))
	}
}

func TestWatchEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var h Hub
	h.Synced(time.Now())
	for range h.Watch(ctx) {
		h.Publish(changed(1))
		cancel()
	}
	for range h.Watch(t.Context()) {
		h.Close()
	}
	for range h.Watch(t.Context()) {
		t.Error("got an event after Close, want none")
	}
}
