package vault

import (
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/oauth2"
)

// A slot is what this process knows of one entry.
type slot struct {
	key, place string

	held   atomic.Pointer[held] // nil: not read yet
	newest atomic.Uint64        // the newest version that was reported

	mu       sync.Mutex
	loading  *call         // the read of the store under way
	flight   *flight       // the renewal under way
	failures int           // renewals that failed in a row
	notUntil time.Time     // no renewal before, after a failure
	cause    error         // of the last failure
	changed  chan struct{} // closed at the next change of held
	gone     chan struct{} // closed when the entry was deleted
	buried   bool          // gone is closed
	watchers int           // callers of Done: the slot must stay
}

// held is one state of the record, never changed.
type held struct {
	record  record
	version uint64
	epoch   uint64 // of the watch when it was read
	token   *oauth2.Token
	renewAt time.Time // a renewal is due
	expiry  time.Time // of the token, by our clock
	budget  *budget   // of uses; nil: it has none
}

// forever is later than any clock will say.
var forever = time.Unix(1<<40, 0)

// hold returns the state of a record that was read or written just now, while the watch was in epoch.
func (v *Vault) hold(r record, version, epoch uint64) *held {
	h := &held{record: r, version: version, epoch: epoch, token: r.token(), renewAt: forever, expiry: forever}
	h.budget = budgetOf(v.config.Refreshers[r.Client])
	if !r.Expiry.IsZero() {
		// The clock of whoever wrote the record may be ahead of ours: the token lives no longer from now than it lived
		// when it was new.
		life := r.Expiry.Sub(r.Issued)
		h.expiry = earlier(r.Expiry, v.config.Now().Add(life))
		h.renewAt = earlier(r.Issued.Add(life*2/3), h.expiry)
	}
	return h
}

// use counts a use of the token, and says what is left of it.
func (h *held) use(now time.Time) rest {
	switch uses := h.budget.spend(); {
	case !now.Before(h.expiry):
		return nothing
	case !now.Before(h.renewAt):
		return max(little, uses)
	default:
		return uses
	}
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func newSlot(key, place string) *slot {
	return &slot{key: key, place: place, changed: make(chan struct{}), gone: make(chan struct{})}
}

// install takes over a state that is newer than the one held, and wakes who waits for a change.
func (s *slot) install(h *held) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.held.Load()
	if old != nil && (h.version < old.version || h.version == old.version && h.epoch < old.epoch) {
		return
	}
	if old != nil && old.record.Generation == h.record.Generation { // read again: no younger for that, and no less used
		h.expiry, h.renewAt, h.budget = earlier(h.expiry, old.expiry), earlier(h.renewAt, old.renewAt), old.budget
	}
	if old != nil && old.record.Generation < h.record.Generation { // what failed was of another token
		s.failures, s.notUntil, s.cause = 0, time.Time{}, nil
	}
	s.held.Store(h)
	if old == nil || old.version != h.version {
		s.wake()
	}
}

// wake is called with mu held.
func (s *slot) wake() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// reported notes that a version exists. What is older is out of date.
func (s *slot) reported(version uint64) {
	for {
		newest := s.newest.Load()
		if version <= newest || s.newest.CompareAndSwap(newest, version) {
			break
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if h := s.held.Load(); h == nil || h.version < version {
		s.wake()
	}
}

// bury ends the slot: the entry was deleted.
func (s *slot) bury() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.buried {
		s.buried = true
		close(s.gone)
		s.wake()
	}
}

func (s *slot) isBuried() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buried
}

// next returns a channel that the next change closes.
func (s *slot) next() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}
