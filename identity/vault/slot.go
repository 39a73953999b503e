package vault

import (
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/oauth2"
)

// A slot holds one entry through its renewals.
type slot struct {
	owner, client string
	until         time.Time
	expiry        *time.Timer // drops the slot at until; nil: never

	held atomic.Pointer[held] // never nil

	mu       sync.Mutex
	flight   *flight   // the renewal under way, nil between renewals
	ended    bool      // deleted or replaced: nothing is stored any more
	dead     bool      // refused: nothing is asked for any more
	failures int       // renewals that failed in a row
	notUntil time.Time // no renewal before, after a failure
	cause    error     // of the last failure
}

// held is one generation of the token, never changed.
type held struct {
	token      *oauth2.Token
	generation int
	issued     time.Time
	renewAt    time.Time // a renewal is due
}

// forever is later than any clock will say.
var forever = time.Unix(1<<40, 0)

func newHeld(token *oauth2.Token, generation int, now time.Time) *held {
	h := &held{token: token, generation: generation, issued: now, renewAt: forever}
	if !token.Expiry.IsZero() {
		h.renewAt = now.Add(token.Expiry.Sub(now) * 2 / 3)
	}
	return h
}

func newSlot(e Entry, now time.Time) *slot {
	s := &slot{owner: e.Owner, client: e.Client, until: e.Until}
	s.held.Store(newHeld(e.Token, 0, now))
	return s
}

// end makes the slot refuse successors, and returns what it held last.
func (s *slot) end() Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	if s.expiry != nil {
		s.expiry.Stop()
	}
	return s.entry(s.held.Load().token)
}

func (s *slot) entry(token *oauth2.Token) Entry {
	return Entry{Owner: s.owner, Client: s.client, Token: token, Until: s.until}
}

func (s *slot) isDead() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dead
}
