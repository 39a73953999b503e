package records

import (
	"context"
	"errors"
	"math"
	"sync"
	"sync/atomic"

	"b2trader.identity.auth/identity/store"
)

// A Ref is one record as this process knows it. Callers that keep a Ref spare
// themselves the lookup by ID. It is safe for concurrent use.
type Ref[T any] struct {
	kind   *Kind[T]
	cache  *Cache // of kind, for one step less in Current
	id     ID
	copy   atomic.Pointer[Record[T]] // nil: not read yet
	newest atomic.Uint64             // the newest version that is known, or dropped

	mu        sync.Mutex
	reading   *sharedRead[T]
	changed   chan struct{} // closed at the next change; nil: no waiter has asked
	deletion  chan struct{} // closed when the record is deleted; nil: no waiter has asked
	deleted   bool
	listeners int32
}

// dropped is the newest version of a Ref that gets no more events, because it
// is no longer in memory: no copy of it is ever current.
const dropped = math.MaxUint64

func newRef[T any](k *Kind[T], id ID) *Ref[T] { return &Ref[T]{kind: k, cache: k.cache, id: id} }

func newDroppedRef[T any](k *Kind[T], id ID) *Ref[T] {
	r := newRef(k, id)
	r.newest.Store(dropped)
	return r
}

// Held returns the copy in memory, current or not, or nil.
func (r *Ref[T]) Held() *Record[T] { return r.copy.Load() }

// Current reports whether a copy, which may be nil, is known to be what the
// store has.
func (r *Ref[T]) Current(c *Record[T]) bool {
	return c != nil && c.epoch != 0 && c.Version >= r.newest.Load() && c.epoch == r.cache.trusted()
}

// Dropped reports whether the Ref left memory: the record is absent, was
// forgotten, or was never read. [Kind.Ref] returns another one then.
func (r *Ref[T]) Dropped() bool { return r.newest.Load() == dropped }

// Put is Kind.Put for this record.
func (r *Ref[T]) Put(ctx context.Context, next Record[T]) (*Record[T], error) {
	saved, err := r.put(ctx, next)
	if err != nil {
		r.failed(err)
		return nil, err
	}
	r.install(saved)
	return saved, nil
}

// put writes next and returns it as stored.
func (r *Ref[T]) put(ctx context.Context, next Record[T]) (*Record[T], error) {
	next.ID = r.id
	if c := r.copy.Load(); c != nil {
		next.restored = max(next.restored, c.restored)
	}
	sealed, err := r.kind.codec.seal(r.cache.sealer, next)
	if err != nil {
		return nil, err
	}
	bounded, cancel := r.cache.bounded(ctx)
	defer cancel()
	if err := r.cache.checkClock(bounded); err != nil {
		return nil, fault(ctx, "time", err)
	}
	if next.Version != 0 && r.cache.seen.isDeleted(r.id, next.Version) { // the store may have forgotten it
		return nil, store.ErrDeleted
	}
	next.epoch = r.cache.watched()
	version, err := r.cache.store.Put(bounded, store.Record{
		Key: string(r.id), Owner: string(next.Owner), Version: next.Version, Value: sealed, Expires: next.Expires,
	})
	if errors.Is(err, store.ErrConflict) { // versions grow: the stored one is newer
		r.reported(next.Version + 1)
	}
	if err != nil {
		return nil, fault(ctx, "put", err)
	}
	next.Version = version
	return &next, nil
}

// Forget drops the Ref from memory, unless a caller listens for the deletion
// of the record. The record stays stored.
func (r *Ref[T]) Forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.listeners == 0 {
		r.drop()
	}
}

// failed drops a Ref whose record is absent, and one that was never read:
// strangers choose keys, and must not fill the memory with them.
func (r *Ref[T]) failed(err error) {
	switch {
	case Absent(err):
		r.markDeleted()
	case r.copy.Load() == nil:
		r.Forget()
	}
}

// markDeleted drops the Ref and releases the callers that wait for the
// deletion.
func (r *Ref[T]) markDeleted() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.drop()
	if !r.deleted {
		r.deleted = true
		if r.deletion != nil {
			close(r.deletion)
		}
	}
}

// drop removes the Ref from memory. A read under way then changes nothing for
// later callers. The caller holds mu.
func (r *Ref[T]) drop() {
	if r.kind.refs != nil {
		r.kind.refs.Remove(string(r.id), r)
	}
	r.newest.Store(dropped)
	r.wake()
}

// install keeps a record that is newer than the copy in memory, or that was read
// later.
func (r *Ref[T]) install(c *Record[T]) {
	c = r.kind.kept(c)
	for {
		old := r.copy.Load()
		if old != nil && (c.Version < old.Version || c.Version == old.Version && c.epoch < old.epoch) {
			return
		}
		if !r.copy.CompareAndSwap(old, c) {
			continue
		}
		r.raise(c.Version) // before the wake: its callers must not take the old copy for current
		if old == nil || old.Version != c.Version {
			r.mu.Lock()
			r.wake()
			r.mu.Unlock()
		}
		return
	}
}

// raise notes that a version exists: older copies are out of date.
func (r *Ref[T]) raise(version uint64) {
	for {
		newest := r.newest.Load()
		if version <= newest || r.newest.CompareAndSwap(newest, version) {
			return
		}
	}
}

// reported notes a version that the store reported, and wakes the callers that
// wait for a change.
func (r *Ref[T]) reported(version uint64) {
	r.raise(version)
	if c := r.copy.Load(); c == nil || c.Version < version {
		r.mu.Lock()
		r.wake()
		r.mu.Unlock()
	}
}
