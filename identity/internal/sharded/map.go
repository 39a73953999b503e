// Package sharded has a map with string keys for many concurrent readers.
package sharded

import (
	"hash/maphash"
	"iter"
	"sync"
)

// shards is the number of parts of a Map, each with its own lock. It is a
// power of two.
const shards = 64

// A Map maps strings to values. Readers of different keys rarely share a lock,
// and a lookup allocates nothing. Use NewMap: the zero value is not usable.
type Map[V comparable] struct {
	seed   maphash.Seed
	shards [shards]shard[V]
}

type shard[V comparable] struct {
	sync.RWMutex
	values map[string]V
}

// NewMap returns an empty Map.
func NewMap[V comparable]() *Map[V] {
	m := &Map[V]{seed: maphash.MakeSeed()}
	for i := range m.shards {
		m.shards[i].values = map[string]V{}
	}
	return m
}

func (m *Map[V]) shard(key string) *shard[V] {
	return &m.shards[maphash.String(m.seed, key)%shards]
}

// Get returns the value of key, or the zero value.
func (m *Map[V]) Get(key string) V {
	s := m.shard(key)
	s.RLock()
	v := s.values[key]
	s.RUnlock()
	return v
}

// Ensure returns the value of key. If there is none, or if the one there is
// stale, it stores what build returns. It calls both functions with a lock
// held.
func (m *Map[V]) Ensure(key string, stale func(V) bool, build func() V) V {
	s := m.shard(key)
	s.Lock()
	defer s.Unlock()
	v, ok := s.values[key]
	if !ok || stale(v) {
		v = build()
		s.values[key] = v
	}
	return v
}

// Remove removes key if its value is v.
func (m *Map[V]) Remove(key string, v V) {
	s := m.shard(key)
	s.Lock()
	defer s.Unlock()
	if found, ok := s.values[key]; ok && found == v {
		delete(s.values, key)
	}
}

// All yields every value, shard by shard. The loop may change the Map: values
// that are added or removed meanwhile may or may not be yielded.
func (m *Map[V]) All() iter.Seq[V] {
	return func(yield func(V) bool) {
		for i := range m.shards {
			for _, v := range m.shards[i].copied() {
				if !yield(v) {
					return
				}
			}
		}
	}
}

func (s *shard[V]) copied() []V {
	s.RLock()
	defer s.RUnlock()
	values := make([]V, 0, len(s.values))
	for _, v := range s.values {
		values = append(values, v)
	}
	return values
}
