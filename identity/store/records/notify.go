package records

import "sync"

// Changed returns a channel that is closed at the next change that this
// process hears of: a new version or the deletion. It is also closed when the
// watch comes up, since a change may have gone unreported.
func (r *Ref[T]) Changed() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.changed == nil {
		r.changed = make(chan struct{})
	}
	return r.changed
}

// wake closes the channel of Changed. The caller holds mu.
func (r *Ref[T]) wake() {
	if r.changed != nil {
		close(r.changed)
		r.changed = nil
	}
}

// Deleted returns a channel that is closed when this process hears that the
// record is deleted, or finds it absent.
func (r *Ref[T]) Deleted() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.deletion == nil {
		r.deletion = make(chan struct{})
		if r.deleted {
			close(r.deletion)
		}
	}
	return r.deletion
}

// IsDeleted reports whether the channel of Deleted is closed.
func (r *Ref[T]) IsDeleted() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.deleted
}

// Listen is Deleted for callers that wait long: until they call stop, the
// record is read again after each interruption of the watch, since its
// deletion may have gone unreported.
func (r *Ref[T]) Listen() (deleted <-chan struct{}, stop func()) {
	r.listen(1)
	return r.Deleted(), sync.OnceFunc(func() { r.listen(-1) })
}

func (r *Ref[T]) listen(by int32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.listeners += by
}

// recheck wakes the callers that wait for a change, and reads the record again if
// one listens for its deletion.
func (r *Ref[T]) recheck() {
	r.mu.Lock()
	r.wake()
	listened := r.listeners > 0
	r.mu.Unlock()
	if listened {
		// A read that finds no record tells the listeners. The shared one may have
		// begun before the deletion.
		_ = r.cache.goRead(func() { _, _ = r.Read(r.cache.ctx) })
	}
}
