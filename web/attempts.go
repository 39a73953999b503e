package web

import (
	"crypto/rand"
	"crypto/subtle"
	"slices"
	"sync"
	"time"

	"b2trader.identity.auth/identity"
)

const (
	attemptLife   = 10 * time.Minute // how long a second factor may take
	maxAttempts   = 1000             // sign-ins under way in the whole server
	maxPerBrowser = 5                // and of one browser: one a tab
	maxWrongCodes = 5                // wrong codes before a sign-in starts over
	attemptField  = "attempt"        // names the attempt in forms and queries
)

// attempt is a sign-in that waits for its second factor.
type attempt struct {
	ID       string
	Browser  string // the secret in the session that it belongs to
	Client   *identity.Client
	Email    string
	ReturnTo string

	turn   chan struct{} // full while a code is verified; guards SignIn and Flow
	SignIn *identity.SignIn
	Flow   []identity.Exchange

	factor  identity.SecondFactor // what is asked for
	wrong   int
	started time.Time
}

// attempts keeps the sign-ins under way, each on its own, so that two tabs do
// not disturb each other.
type attempts struct {
	now func() time.Time

	mu    sync.Mutex
	queue []*attempt // the oldest first
}

// Add keeps a for attemptLife and gives it an unguessable ID. Where there are
// too many, the oldest goes.
func (s *attempts) Add(a *attempt) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a.ID, a.started, a.turn = rand.Text(), s.now(), make(chan struct{}, 1)
	s.expire()
	var same []int
	for i, other := range s.queue {
		if other.Browser == a.Browser {
			same = append(same, i)
		}
	}
	switch {
	case len(same) >= maxPerBrowser:
		s.remove(same[0])
	case len(s.queue) >= maxAttempts:
		s.remove(0)
	}
	s.queue = append(s.queue, a)
}

// Get returns the attempt named id if it belongs to browser and still lives.
func (s *attempts) Get(id, browser string) (*attempt, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire()
	i := s.index(id)
	if i < 0 || browser == "" || subtle.ConstantTimeCompare([]byte(s.queue[i].Browser), []byte(browser)) != 1 {
		return nil, false
	}
	return s.queue[i], true
}

// Has reports whether the attempt named id is still under way.
func (s *attempts) Has(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire()
	return s.index(id) >= 0
}

// Remove ends the attempt named id.
func (s *attempts) Remove(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := s.index(id); i >= 0 {
		s.remove(i)
	}
}

// Wrong notes a wrong code and reports whether another may be tried.
func (s *attempts) Wrong(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.index(id)
	if i < 0 {
		return false
	}
	if s.queue[i].wrong++; s.queue[i].wrong >= maxWrongCodes {
		s.remove(i)
		return false
	}
	return true
}

// expire drops what is too old.
func (s *attempts) expire() {
	latest := s.now().Add(-attemptLife)
	for len(s.queue) > 0 && !s.queue[0].started.After(latest) {
		s.remove(0)
	}
}

func (s *attempts) index(id string) int {
	return slices.IndexFunc(s.queue, func(a *attempt) bool { return a.ID == id })
}

func (s *attempts) remove(i int) { s.queue = slices.Delete(s.queue, i, i+1) }
