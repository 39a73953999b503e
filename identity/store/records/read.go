package records

import (
	"cmp"
	"context"
	"errors"

	"b2trader.identity.auth/identity/store"
)

// A sharedRead is one read of the store that any number of callers wait for.
type sharedRead[T any] struct {
	done   chan struct{}
	record *Record[T]
	err    error
}

// Get is Kind.Get for this record. Callers that come while the store is read
// share that read, each as long as its own context allows.
func (r *Ref[T]) Get(ctx context.Context) (*Record[T], error) {
	if c := r.copy.Load(); r.Current(c) {
		return c, nil
	}
	if r.Dropped() {
		if _, err := r.Read(ctx); err != nil {
			return nil, err
		}
		return r.Held(), nil
	}
	s, joined, err := r.share(ctx)
	if err != nil {
		return nil, err
	}
	// A read that began before this call may have found what has changed since,
	// such as a record that is deleted by now. The next one began later.
	if joined && !r.Current(s.record) && (s.err == nil || Absent(s.err)) {
		if s, _, err = r.share(ctx); err != nil {
			return nil, err
		}
	}
	return s.record, s.err
}

// share waits for the shared read under way, or begins one, and reports whether
// it joined one.
func (r *Ref[T]) share(ctx context.Context) (s *sharedRead[T], joined bool, err error) {
	s, joined, err = r.sharedRead()
	if err != nil {
		return nil, false, err
	}
	select {
	case <-s.done:
		return s, joined, nil
	case <-ctx.Done():
		return nil, false, ctx.Err()
	}
}

// sharedRead returns the shared read under way, or begins one. No caller's
// context reaches it.
func (r *Ref[T]) sharedRead() (s *sharedRead[T], joined bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.reading != nil {
		return r.reading, true, nil
	}
	s = &sharedRead[T]{done: make(chan struct{})}
	err = r.cache.goRead(func() {
		_, s.err = r.Read(r.cache.ctx)
		if r.IsDeleted() { // while it was read
			s.err = cmp.Or(s.err, store.ErrDeleted)
		}
		if s.err == nil {
			s.record = r.Held()
		}
		r.mu.Lock()
		r.reading = nil
		r.mu.Unlock()
		close(s.done)
	})
	if err != nil {
		return nil, false, err
	}
	r.reading = s
	return s, false, nil
}

// Read reads the record from the store, never from memory.
//
// Errors: as Get.
func (r *Ref[T]) Read(ctx context.Context) (*Record[T], error) {
	bounded, cancel := r.cache.bounded(ctx)
	defer cancel()
	for try := 1; ; try++ {
		c, err := r.read(bounded)
		if errors.Is(err, store.ErrConflict) && try < restoreTries {
			continue
		}
		if err != nil {
			r.failed(err)
		}
		return c, fault(ctx, "get", err)
	}
}

// read is one attempt of Read.
//
// Errors: as Get, and store.ErrConflict if another process restores the record.
func (r *Ref[T]) read(ctx context.Context) (*Record[T], error) {
	if err := r.cache.checkClock(ctx); err != nil {
		return nil, err
	}
	// Both before the read: later changes are newer than what it returns.
	epoch, known := r.cache.watched(), r.known()
	raw, err := r.cache.store.Get(ctx, string(r.id))
	switch {
	case err != nil:
		return nil, err
	case r.cache.seen.isDeleted(r.id, raw.Version):
		return nil, r.cache.deleteAgain(ctx, r.id)
	case raw.Version < known:
		return r.restore(ctx, raw, known)
	}
	c, err := r.kind.open(raw, epoch)
	if err != nil {
		return nil, err
	}
	r.install(c)
	return c, nil
}
