package records

import (
	"hash/maphash"
	"sync"
	"time"
)

// seenLimit is how many versions and how many tombstones a process remembers at
// least, if there were so many. It remembers twice as many at most, which takes
// about 10 MB.
const seenLimit = 1 << 15

// A seen remembers the newest versions and the tombstones that this process
// wrote, read or heard of. A store that was restored from an older copy, or that
// failed over to a replica that lagged, has forgotten the last of them.
type seen struct {
	mu         sync.Mutex
	seed       maphash.Seed
	versions   recent[uint64] // by a hash of the ID
	tombstones recent[ID]
	older      map[ID]time.Time // since when the store has shown an older version
}

func newSeen() *seen { return &seen{seed: maphash.MakeSeed(), older: map[ID]time.Time{}} }

// version returns the newest version of a record that this process knows of.
func (s *seen) version(id ID) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.versions.get(maphash.String(s.seed, string(id)))
}

// changed notes that a version exists.
func (s *seen) changed(id ID, version uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	hash := maphash.String(s.seed, string(id))
	s.versions.set(hash, max(version, s.versions.get(hash)))
	delete(s.older, id)
}

// olderFor notes that the store shows an older version of the record than one
// that this process knows of, and returns for how long it has.
func (s *seen) olderFor(id ID) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, noted := s.older[id]; !noted {
		s.older[id] = time.Now()
	}
	return time.Since(s.older[id])
}

// forgotten notes that the store has forgotten all versions after this one.
func (s *seen) forgotten(id ID, version uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.versions.set(maphash.String(s.seed, string(id)), version)
	delete(s.older, id)
}

// deleted notes that the record was deleted when it had a version, or that its
// tombstone has that version.
func (s *seen) deleted(id ID, version uint64) {
	if version == 0 { // not known: the watch will report the tombstone
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tombstones.set(id, max(version, s.tombstones.get(id)))
}

// isDeleted reports whether the record was deleted when it had a version, or
// later. A record that was created after its tombstone expired has a higher one.
func (s *seen) isDeleted(id ID, version uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return version <= s.tombstones.get(id)
}

// allDeleted returns the remembered tombstones.
func (s *seen) allDeleted() []ID {
	s.mu.Lock()
	defer s.mu.Unlock()
	ids := make([]ID, 0, len(s.tombstones.young)+len(s.tombstones.old))
	for _, part := range []map[ID]uint64{s.tombstones.young, s.tombstones.old} {
		for id := range part {
			ids = append(ids, id)
		}
	}
	return ids
}

// A recent is a map that drops what was set longest ago: between seenLimit and
// twice as many entries stay.
type recent[K comparable] struct{ young, old map[K]uint64 }

func (r *recent[K]) get(key K) uint64 { return max(r.young[key], r.old[key]) }

func (r *recent[K]) set(key K, version uint64) {
	if len(r.young) >= seenLimit || r.young == nil {
		r.young, r.old = map[K]uint64{}, r.young
	}
	delete(r.old, key)
	r.young[key] = version
}
