package vault

import (
	"hash/maphash"
	"maps"
	"slices"
	"sync"
)

// shards keep callers of different keys out of each other's way.
const shards = 64

// An index finds slots by key, and keys by owner.
type index struct {
	seed   maphash.Seed
	shards [shards]shard
	mu     sync.Mutex // guards owners
	owners map[string]map[string]bool
}

type shard struct {
	sync.RWMutex
	slots map[string]*slot
}

func newIndex() *index {
	x := &index{seed: maphash.MakeSeed(), owners: map[string]map[string]bool{}}
	for i := range x.shards {
		x.shards[i].slots = map[string]*slot{}
	}
	return x
}

func (x *index) shard(key string) *shard { return &x.shards[maphash.String(x.seed, key)%shards] }

func (x *index) get(key string) *slot {
	sh := x.shard(key)
	sh.RLock()
	defer sh.RUnlock()
	return sh.slots[key]
}

// put returns the slot that s replaces, or nil.
func (x *index) put(key string, s *slot) (old *slot) {
	sh := x.shard(key)
	sh.Lock()
	defer sh.Unlock()
	old = sh.slots[key]
	sh.slots[key] = s
	x.mu.Lock()
	defer x.mu.Unlock()
	if old != nil {
		x.forget(old.owner, key)
	}
	if x.owners[s.owner] == nil {
		x.owners[s.owner] = map[string]bool{}
	}
	x.owners[s.owner][key] = true
	return old
}

// remove reports whether s was still what key led to.
func (x *index) remove(key string, s *slot) bool {
	sh := x.shard(key)
	sh.Lock()
	defer sh.Unlock()
	if sh.slots[key] != s {
		return false
	}
	delete(sh.slots, key)
	x.mu.Lock()
	defer x.mu.Unlock()
	x.forget(s.owner, key)
	return true
}

func (x *index) forget(owner, key string) {
	delete(x.owners[owner], key)
	if len(x.owners[owner]) == 0 {
		delete(x.owners, owner)
	}
}

func (x *index) keysOf(owner string) []string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.Collect(maps.Keys(x.owners[owner]))
}
