package feed

import (
	"context"
	"errors"
	"iter"
	"testing"

	"b2trader.identity.auth/identity/store"
)

// read pulls events one by one, so that a test decides when the reader is slow.
func read(t *testing.T, h *Hub, ctx context.Context) func() store.Event { //nolint:revive // t comes first in tests
	t.Helper()
	next, stop := iter.Pull(h.Watch(ctx))
	t.Cleanup(stop)
	return func() store.Event {
		e, ok := next()
		if !ok {
			t.Fatal("watch ended")
		}
		return e
	}
}

func changed(version uint64) store.Event {
	return store.Event{Kind: store.Changed, Key: "key", Version: version}
}

func TestReaderLearnsOfTheState(t *testing.T) {
	down := errors.New("down")
	var h Hub
	if e := read(t, &h, t.Context())(); e.Kind != store.Lost || e.Err == nil {
		t.Errorf("before the feed is up: %+v", e)
	}
	h.Synced()
	if e := read(t, &h, t.Context())(); e.Kind != store.Synced {
		t.Errorf("feed is up: %+v", e)
	}
	h.Lost(down)
	if e := read(t, &h, t.Context())(); e.Kind != store.Lost || !errors.Is(e.Err, down) {
		t.Errorf("feed is down: %+v", e)
	}
}

func TestInterruption(t *testing.T) {
	var h Hub
	h.Synced()
	next := read(t, &h, t.Context())
	next()
	h.Publish(changed(1))
	if e := next(); e.Version != 1 {
		t.Fatalf("got %+v", e)
	}
	h.Lost(errors.New("first"))
	h.Lost(errors.New("second")) // a failed attempt to reconnect is no news
	h.Publish(changed(2))        // nobody may rely on it
	if e := next(); e.Kind != store.Lost || e.Err.Error() != "first" {
		t.Fatalf("got %+v", e)
	}
	h.Synced()
	h.Publish(changed(3))
	if e := next(); e.Kind != store.Synced {
		t.Fatalf("got %+v", e)
	}
	if e := next(); e.Version != 3 {
		t.Fatalf("got %+v", e)
	}
}

func TestSlowReaderStartsOver(t *testing.T) {
	var h Hub
	h.Synced()
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

func TestReadersLeave(t *testing.T) {
	var h Hub
	h.Synced()
	for range h.Watch(t.Context()) {
		if !h.Watched() {
			t.Error("nobody watches")
		}
		break
	}
	if h.Watched() {
		t.Error("a reader that left is still there")
	}
}

func TestWatchEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var h Hub
	h.Synced()
	for range h.Watch(ctx) {
		h.Publish(changed(1))
		cancel()
	}
	for range h.Watch(t.Context()) {
		h.Close()
	}
	for range h.Watch(t.Context()) {
		t.Error("closed, and reports something")
	}
}
