// Package feed hands the events of a store to those who watch it.
package feed

import (
	"context"
	"errors"
	"iter"
	"sync"

	"b2trader.identity.auth/identity/store"
)

// Buffer is how many events one reader may be behind before it is told to start over.
const Buffer = 4096

// errStarting is what a reader is told that comes before the first connection stands.
var errStarting = errors.New("not connected yet")

// A Hub hands on events to any number of readers and never waits for one. Its zero value is a feed that is not up yet.
type Hub struct {
	mu      sync.Mutex
	up      bool
	down    error // why it is not up
	closed  bool
	readers map[*reader]struct{}
}

// A reader's queue begins with its state, if that changed, followed by what happened since.
type reader struct {
	wake  chan struct{} // holds one token when there is something to read
	queue []store.Event
}

// Watch is store.Store's Watch.
func (h *Hub) Watch(ctx context.Context) iter.Seq[store.Event] {
	return func(yield func(store.Event) bool) {
		r := h.join()
		if r == nil {
			return
		}
		defer h.leave(r)
		for {
			select {
			case <-ctx.Done():
				return
			case <-r.wake:
			}
			events, closed := h.take(r)
			for _, e := range events {
				if ctx.Err() != nil || !yield(e) {
					return
				}
			}
			if closed {
				return
			}
		}
	}
}

func (h *Hub) join() *reader {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil
	}
	r := &reader{wake: make(chan struct{}, 1)}
	if h.up {
		r.restart(store.Event{Kind: store.Synced})
	} else {
		r.restart(h.lost())
	}
	if h.readers == nil {
		h.readers = map[*reader]struct{}{}
	}
	h.readers[r] = struct{}{}
	return r
}

func (h *Hub) lost() store.Event {
	if h.down == nil {
		return store.Event{Kind: store.Lost, Err: errStarting}
	}
	return store.Event{Kind: store.Lost, Err: h.down}
}

func (h *Hub) leave(r *reader) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.readers, r)
}

func (h *Hub) take(r *reader) (events []store.Event, closed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	events, r.queue = r.queue, nil
	return events, h.closed
}

// Watched reports whether anyone reads.
func (h *Hub) Watched() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.readers) > 0
}

// Publish hands on a Changed or Deleted event. While the feed is down it does nothing, since Synced follows.
func (h *Hub) Publish(e store.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.up {
		return
	}
	for r := range h.readers {
		if len(r.queue) >= Buffer {
			r.restart(store.Event{Kind: store.Synced})
			continue
		}
		r.queue = append(r.queue, e)
		r.signal()
	}
}

// Synced says that from now on Publish is told of every change.
func (h *Hub) Synced() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.up, h.down = true, nil
	for r := range h.readers {
		r.restart(store.Event{Kind: store.Synced})
	}
}

// Lost says that Publish may miss changes from now on. Only the first call after Synced is told to the readers.
func (h *Hub) Lost(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	repeated := h.down != nil
	h.up, h.down = false, err
	if repeated {
		return
	}
	for r := range h.readers {
		r.restart(h.lost())
	}
}

// Close ends every watch.
func (h *Hub) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for r := range h.readers {
		r.signal()
	}
}

// restart replaces what the reader has not read yet: Synced and Lost make it worthless.
func (r *reader) restart(e store.Event) {
	r.queue = append(r.queue[:0], e)
	r.signal()
}

func (r *reader) signal() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}
