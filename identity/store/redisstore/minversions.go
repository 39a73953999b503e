package redisstore

import (
	"hash/maphash"
	"sync"
	"time"
)

// anyNewer is above every version: Get must ask the server.
const anyNewer = 1<<63 - 1

// minVersionLife is how long a minimum is kept at least. It is much longer than
// the driver keeps a silent connection and the cache that belongs to it.
const minVersionLife = 30 * time.Second

// minVersions are the versions that Get may not go below, for keys that this
// process wrote recently or got events of. The message that invalidates the
// driver's cache comes over another connection than the answer to a write and
// the event of a change, and may come later.
type minVersions struct {
	once   sync.Once
	seed   maphash.Seed
	shards [32]minVersionShard
}

// A minVersionShard has some of the minimums in two generations. raise drops the
// old generation after minVersionLife.
type minVersionShard struct {
	mu         sync.RWMutex
	young, old map[string]uint64
	turned     time.Time
}

func (m *minVersions) shard(key string) *minVersionShard {
	m.once.Do(func() { m.seed = maphash.MakeSeed() })
	return &m.shards[maphash.String(m.seed, key)%uint64(len(m.shards))]
}

// of returns the minimum of key, or 0 if there is none.
func (m *minVersions) of(key string) uint64 {
	s := m.shard(key)
	s.mu.RLock()
	defer s.mu.RUnlock()
	return max(s.young[key], s.old[key])
}

// raise raises the minimum of key to version.
func (m *minVersions) raise(key string, version uint64) {
	if version == 0 {
		return
	}
	s := m.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := time.Now(); now.Sub(s.turned) > minVersionLife {
		s.old, s.young, s.turned = s.young, map[string]uint64{}, now
	}
	s.young[key] = max(s.young[key], version)
}
