package redisstore

import (
	"hash/maphash"
	"sync"
	"time"
)

// askServer is above every version.
const askServer = 1<<63 - 1

// floorLife is how long a floor is kept at least: much longer than a connection may be silent before it is given up
// and what was read over it is forgotten.
const floorLife = 30 * time.Second

// floors remember the least version that Get may answer for keys that this process wrote lately or was told of: the
// notice that ends what is remembered of a record comes over another connection than the answer to a write and the
// event of a change, and maybe later.
type floors struct {
	once   sync.Once
	seed   maphash.Seed
	shards [32]floorShard
}

type floorShard struct {
	mu         sync.RWMutex
	young, old map[string]uint64
	turned     time.Time
}

func (f *floors) shard(key string) *floorShard {
	f.once.Do(func() { f.seed = maphash.MakeSeed() })
	return &f.shards[maphash.String(f.seed, key)%uint64(len(f.shards))]
}

func (f *floors) of(key string) uint64 {
	s := f.shard(key)
	s.mu.RLock()
	defer s.mu.RUnlock()
	return max(s.young[key], s.old[key])
}

func (f *floors) raise(key string, version uint64) {
	if version == 0 {
		return
	}
	s := f.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := time.Now(); now.Sub(s.turned) > floorLife {
		s.old, s.young, s.turned = s.young, map[string]uint64{}, now
	}
	s.young[key] = max(s.young[key], version)
}
