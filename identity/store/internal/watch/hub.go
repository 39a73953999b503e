// Package watch distributes the events of a store to its watches.
package watch

import (
	"context"
	"iter"
	"sync"
	"time"

	"b2trader.identity.auth/identity/store"
)

// Buffer is how many events a reader may be behind. Beyond that it loses them
// and gets Synced.
const Buffer = 4096

// AliveInterval is how often a store gives a sign of life. Caches answer from
// memory for a second after it, so one or two may be late.
const AliveInterval = 300 * time.Millisecond

// A Hub sends events to any number of readers and never waits for one. The zero
// Hub is not connected yet: its readers get nothing until Synced or Lost.
type Hub struct {
	mu      sync.Mutex
	up      bool
	at      time.Time // of the last sign of life
	down    error     // why up is false; nil: not connected yet
	closed  bool
	readers map[*reader]struct{}
}

// A reader has a queue of the events that it has not read. After a change of
// state the queue begins with Synced or Lost.
type reader struct {
	wake  chan struct{} // contains a token while the queue is not empty
	queue []store.Event
}

// Watch implements store.Store.
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
	switch {
	case h.up:
		r.restart(h.synced())
	case h.down != nil:
		r.restart(h.lost())
	}
	if h.readers == nil {
		h.readers = map[*reader]struct{}{}
	}
	h.readers[r] = struct{}{}
	return r
}

func (h *Hub) synced() store.Event { return store.Event{Kind: store.Synced, At: h.at} }

func (h *Hub) lost() store.Event { return store.Event{Kind: store.Lost, Err: h.down} }

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

// Publish sends a Changed or Deleted event. It does nothing after Lost, because
// Synced will follow.
func (h *Hub) Publish(e store.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.up {
		return
	}
	for r := range h.readers {
		if len(r.queue) >= Buffer {
			r.restart(h.synced())
			continue
		}
		r.queue = append(r.queue, e)
		r.signal()
	}
}

// Synced tells the readers that every change from now on reaches Publish. It is
// also the first sign of life, see Alive.
func (h *Hub) Synced(at time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.up, h.down, h.at = true, nil, at
	for r := range h.readers {
		r.restart(h.synced())
	}
}

// Alive tells the readers that every change before at has reached Publish. A
// reader that has not read the last sign of life gets only this one.
func (h *Hub) Alive(at time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.up {
		return
	}
	h.at = at
	for r := range h.readers {
		if n := len(r.queue); n > 0 && r.queue[n-1].Kind == store.Alive {
			r.queue[n-1].At = at
			continue
		}
		r.queue = append(r.queue, store.Event{Kind: store.Alive, At: at})
		r.signal()
	}
}

// Lost tells the readers that changes from now on may not reach Publish, because
// of err. Only the first call after Synced is reported.
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

// restart replaces the unread events by e, which is Synced or Lost and makes
// them worthless.
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
