package vault

import (
	"cmp"
	"container/list"
	"context"
	"time"
)

// A queue is the renewals of one client that wait for their turn, first come,
// first served: those that callers wait for, and after them those whose tokens
// live. Each runs in the end, even if its callers have left: they come back.
type queue struct{ urgent, background list.List }

func (q *queue) len() int { return q.urgent.Len() + q.background.Len() }

// of returns the part that t belongs to.
func (q *queue) of(t *turn) *list.List {
	if t.urgent {
		return &q.urgent
	}
	return &q.background
}

// pop removes the first renewal of a queue that is not empty.
func (q *queue) pop() *turn {
	from := &q.urgent
	if from.Len() == 0 {
		from = &q.background
	}
	t, _ := from.Remove(from.Front()).(*turn)
	t.place = nil
	return t
}

// A turn is the right of one renewal to be under way, or its place in the queue
// for that. The renewal's goroutine uses it, except for hurry. Its fields are
// guarded by pace.mu.
type turn struct {
	pace   *pace
	urgent bool          // callers wait
	ready  chan struct{} // closed when the renewal may be under way
	place  *list.Element // in the queue; nil: not there
	holds  bool          // the renewal is under way
	again  bool          // it was in the queue before
}

// join puts the renewal into the queue, unless it is there or under way. It
// returns a channel that is closed when the renewal may be under way. A renewal
// that was there before goes to the front.
func (t *turn) join() <-chan struct{} {
	p := t.pace
	p.mu.Lock()
	defer p.mu.Unlock()
	if t.holds || t.place != nil {
		return t.ready
	}
	t.ready = make(chan struct{})
	if t.again {
		t.place = p.queue.of(t).PushFront(t)
	} else {
		t.place = p.queue.of(t).PushBack(t)
	}
	t.again = true
	p.admit()
	return t.ready
}

// hurry notes that a caller waits.
func (t *turn) hurry() {
	t.pace.mu.Lock()
	defer t.pace.mu.Unlock()
	if t.urgent {
		return
	}
	if t.place != nil {
		t.pace.queue.background.Remove(t.place)
		t.place = t.pace.queue.urgent.PushBack(t)
	}
	t.urgent = true
}

// leave makes way for other renewals.
func (t *turn) leave() {
	t.pace.mu.Lock()
	defer t.pace.mu.Unlock()
	t.release()
}

// release is leave for a caller that holds pace.mu.
func (t *turn) release() {
	if t.place != nil {
		t.pace.queue.of(t).Remove(t.place)
		t.place = nil
	}
	if t.holds {
		t.holds = false
		t.pace.under--
	}
	t.pace.admit()
}

// exchange makes a request to the server and tells the pace how it went. If it
// takes very long, other renewals need not wait for it.
func (t *turn) exchange(request func() error) error {
	sent := time.Now()
	overdue := time.AfterFunc(t.pace.patience, func() { t.overdue(sent) })
	defer overdue.Stop()
	err := request()
	t.pace.answered(sent, err)
	return err
}

func (t *turn) overdue(sent time.Time) {
	t.pace.mu.Lock()
	defer t.pace.mu.Unlock()
	if !sent.Before(t.pace.halved) {
		t.pace.halve(nil)
	}
	t.release()
}

// awaitTurn blocks until the renewal may be under way. Another process may renew
// the token meanwhile.
//
// Errors: as reread; errClosed if the vault closes.
func (r *renewal) awaitTurn(ctx context.Context) error {
	began := r.vault.config.Now()
	defer func() { r.queueWait += r.vault.config.Now().Sub(began) }()
	ready := r.turn.join()
	for {
		changed := r.entry.ref.Changed()
		select {
		case <-ready:
			return nil
		default:
		}
		if !r.entry.ref.Current(r.entry.ref.Held()) {
			if err := r.reread(ctx); isLost(err) {
				return err
			}
		}
		select {
		case <-ready:
			return nil
		case <-changed:
		case <-r.vault.accepting.Done():
			return cmp.Or(ctx.Err(), errClosed)
		}
	}
}
