package vault

import (
	"hash/maphash"
	"sync"
)

// shards keep callers of different keys out of each other's way.
const shards = 64

// An index finds slots by the callers' keys, and by their places in the store.
type index struct {
	seed   maphash.Seed
	shards [shards]shard
	places sync.Map // of place to *slot
}

type shard struct {
	sync.RWMutex
	slots map[string]*slot
}

func newIndex() *index {
	x := &index{seed: maphash.MakeSeed()}
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

// at returns the slot of a place in the store, or nil.
func (x *index) at(place string) *slot {
	s, _ := x.places.Load(place)
	found, _ := s.(*slot)
	return found
}

// ensure returns the slot of key, making one that is at place.
func (x *index) ensure(key, place string) *slot {
	sh := x.shard(key)
	sh.Lock()
	defer sh.Unlock()
	s := sh.slots[key]
	if s == nil {
		s = newSlot(key, place)
		sh.slots[key] = s
		x.places.Store(place, s)
	}
	return s
}

// remove forgets s.
func (x *index) remove(s *slot) {
	sh := x.shard(s.key)
	sh.Lock()
	defer sh.Unlock()
	if sh.slots[s.key] == s {
		delete(sh.slots, s.key)
		x.places.CompareAndDelete(s.place, s)
	}
}

// each calls f for every slot.
func (x *index) each(f func(*slot)) {
	x.places.Range(func(_, s any) bool {
		f(s.(*slot))
		return true
	})
}
