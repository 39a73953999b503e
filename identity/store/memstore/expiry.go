package memstore

import (
	"container/heap"
	"sync"
	"time"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/internal/precondition"
)

// sweepPerWrite is how many expired records a write removes at most. It is more
// than a write adds, so the store shrinks.
const sweepPerWrite = 4

// A recordShard has some of the records and tombstones, and the order in which
// they expire.
type recordShard struct {
	mu      sync.RWMutex
	entries map[string]*entry
	expiry  expiryHeap
}

type entry struct {
	record  store.Record // its Key and Owner do not change
	deleted bool
	place   int // its index in the heap
	owned   int // its index among the entries of its owner
}

// live returns the entry of key, or nil if it does not exist or has expired.
func (sh *recordShard) live(key string) *entry {
	e := sh.entries[key]
	if e == nil || !e.record.Expires.After(time.Now()) {
		return nil
	}
	return e
}

// stored describes e, which may be nil.
func (e *entry) stored() *precondition.Stored {
	if e == nil {
		return nil
	}
	return &precondition.Stored{Deleted: e.deleted, Version: e.record.Version, Owner: e.record.Owner}
}

func (sh *recordShard) add(e *entry) {
	if sh.entries == nil {
		sh.entries = map[string]*entry{}
	}
	sh.entries[e.record.Key] = e
	heap.Push(&sh.expiry, e)
}

func (sh *recordShard) reorder(e *entry) { heap.Fix(&sh.expiry, e.place) }

// sweep removes a few expired entries. The caller holds the lock of sh.
func (s *Store) sweep(sh *recordShard) {
	now := time.Now()
	for range sweepPerWrite {
		if len(sh.expiry) == 0 || sh.expiry[0].record.Expires.After(now) {
			return
		}
		s.drop(sh, sh.expiry[0])
	}
}

// drop removes e, which may be nil. The caller holds the lock of sh.
func (s *Store) drop(sh *recordShard, e *entry) {
	if e == nil {
		return
	}
	heap.Remove(&sh.expiry, e.place)
	delete(sh.entries, e.record.Key)
	if !e.deleted {
		s.ownerShard(e.record.Owner).remove(e)
	}
}

// An expiryHeap is a heap (container/heap). The entry that expires first is at
// its top.
type expiryHeap []*entry

func (h expiryHeap) Len() int { return len(h) }

func (h expiryHeap) Less(i, j int) bool {
	return h[i].record.Expires.Before(h[j].record.Expires)
}

func (h expiryHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i, j
}

// Push implements heap.Interface.
func (h *expiryHeap) Push(x any) {
	e := x.(*entry)
	e.place = len(*h)
	*h = append(*h, e)
}

// Pop implements heap.Interface.
func (h *expiryHeap) Pop() any {
	last := len(*h) - 1
	e := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return e
}
