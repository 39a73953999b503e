// Package memstore keeps records in the memory of one process: for tests, for a
// demo, and for a service whose sessions may end when it restarts.
//
// Readers of different keys share no lock. The store has no goroutine: each
// write also removes a few expired records, so the memory of n expired records
// is free after about n writes. Watch reports changes at once.
package memstore

import (
	"context"
	"hash/maphash"
	"iter"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/internal/lifecycle"
	"b2trader.identity.auth/identity/store/internal/precondition"
)

// shards is the number of parts that the records are divided into, each with a
// lock of its own.
const shards = 64

// always is the sign of life of a watch that cannot miss a change, because no
// other process makes one.
var always = time.Now().Add(100 * 365 * 24 * time.Hour)

// A Store keeps records in memory.
type Store struct {
	life    *lifecycle.Lifecycle
	seed    maphash.Seed
	version atomic.Uint64
	records [shards]recordShard
	owners  [shards]ownerShard
}

var (
	_ store.Store = (*Store)(nil)
	_ store.Clock = (*Store)(nil)
)

// New returns an empty store.
func New() *Store {
	s := &Store{life: lifecycle.New(context.Background(), "memory"), seed: maphash.MakeSeed()}
	s.life.Hub.Synced(always)
	return s
}

// Close ends every Watch. Later calls of other methods fail with
// store.ErrClosed. It always returns nil.
func (s *Store) Close() error {
	return s.life.Close(func() error { return nil })
}

// Get returns the record of key.
func (s *Store) Get(ctx context.Context, key string) (store.Record, error) {
	if err := s.life.Check(ctx, "get"); err != nil {
		return store.Record{}, err
	}
	sh := s.recordShard(key)
	sh.mu.RLock()
	e := sh.live(key)
	if e == nil || e.deleted {
		sh.mu.RUnlock()
		return store.Record{}, missing(e)
	}
	r := e.record
	sh.mu.RUnlock()
	r.Value = slices.Clone(r.Value) // needs no lock: stored slices do not change
	return r, nil
}

// missing returns the error of Get for e, which is nil or a tombstone.
func missing(e *entry) error {
	if e == nil {
		return store.ErrNotFound
	}
	return store.ErrDeleted
}

// Put creates a record or replaces one of a known version.
func (s *Store) Put(ctx context.Context, r store.Record) (uint64, error) {
	if err := r.Check(); err != nil {
		return 0, err
	}
	if err := s.life.Check(ctx, "put"); err != nil {
		return 0, err
	}
	r.Expires = r.Expires.Truncate(time.Millisecond)
	if !r.Expires.After(time.Now()) {
		return 0, store.Invalid("expiry in the past")
	}
	r.Value = slices.Clone(r.Value)

	sh := s.recordShard(r.Key)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	s.sweep(sh)
	e := sh.live(r.Key)
	if err := precondition.Check(e.stored(), r); err != nil {
		return 0, err
	}
	r.Version = s.version.Add(1)
	if e == nil {
		s.drop(sh, sh.entries[r.Key]) // an expired entry
		e = &entry{record: r}
		sh.add(e)
		s.ownerShard(r.Owner).add(e)
	} else {
		e.record.Version, e.record.Value, e.record.Expires = r.Version, r.Value, r.Expires
		sh.reorder(e)
	}
	s.life.Hub.Publish(store.Event{Kind: store.Changed, Key: r.Key, Version: r.Version})
	return r.Version, nil
}

// Delete deletes the record of key.
func (s *Store) Delete(ctx context.Context, key string) error {
	if err := s.life.Check(ctx, "delete"); err != nil {
		return err
	}
	sh := s.recordShard(key)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	s.sweep(sh)
	e := sh.live(key)
	if e == nil || e.deleted {
		return nil
	}
	s.ownerShard(e.record.Owner).remove(e)
	e.deleted = true
	e.record.Version, e.record.Value = s.version.Add(1), nil
	s.life.Hub.Publish(store.Event{Kind: store.Deleted, Key: e.record.Key, Version: e.record.Version})
	return nil
}

// List returns the live records of owner.
func (s *Store) List(ctx context.Context, owner string) ([]store.Record, error) {
	if err := s.life.Check(ctx, "list"); err != nil {
		return nil, err
	}
	var list []store.Record
	for _, key := range s.ownerShard(owner).keys(owner) {
		r, err := s.Get(ctx, key)
		switch {
		case err == nil && r.Owner == owner:
			list = append(list, r)
		case err != nil && ctx.Err() != nil:
			return nil, err
		}
	}
	return list, nil
}

// Time implements store.Clock by the clock of this process.
func (s *Store) Time(ctx context.Context) (time.Time, error) {
	return time.Now(), s.life.Check(ctx, "time")
}

// Watch reports changes.
func (s *Store) Watch(ctx context.Context) iter.Seq[store.Event] { return s.life.Hub.Watch(ctx) }

func (s *Store) recordShard(key string) *recordShard {
	return &s.records[maphash.String(s.seed, key)%shards]
}

func (s *Store) ownerShard(owner string) *ownerShard {
	return &s.owners[maphash.String(s.seed, owner)%shards]
}

// An ownerShard has the entries of some owners. A goroutine may take its lock
// while it holds that of a recordShard, and never the other way round.
type ownerShard struct {
	mu     sync.RWMutex
	owners map[string][]*entry
}

func (o *ownerShard) add(e *entry) {
	owner := e.record.Owner
	if owner == "" {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.owners == nil {
		o.owners = map[string][]*entry{}
	}
	e.owned = len(o.owners[owner])
	o.owners[owner] = append(o.owners[owner], e)
}

// remove removes e, whose place the last entry of its owner takes.
func (o *ownerShard) remove(e *entry) {
	owner := e.record.Owner
	if owner == "" {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	list := o.owners[owner]
	last := len(list) - 1
	if last == 0 {
		delete(o.owners, owner)
		return
	}
	list[e.owned], list[last].owned = list[last], e.owned
	list[last] = nil
	o.owners[owner] = list[:last]
}

func (o *ownerShard) keys(owner string) []string {
	o.mu.RLock()
	defer o.mu.RUnlock()
	keys := make([]string, len(o.owners[owner]))
	for i, e := range o.owners[owner] {
		keys[i] = e.record.Key
	}
	return keys
}
