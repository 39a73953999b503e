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
	pendingLife   = 10 * time.Minute // for the second factor
	maxPending    = 1000             // in this process
	maxPerBrowser = 5                // of one browser: one a tab
	maxWrongCodes = 5                // wrong codes before a sign-in starts over
	pendingField  = "attempt"        // the ID in forms and queries
)

// pendingSignIn is a sign-in that waits for its second factor.
type pendingSignIn struct {
	ID       string
	Browser  string // a secret in the session that the sign-in belongs to
	Client   *identity.Client
	Email    string
	ReturnTo string

	turn      chan struct{} // full while a code is verified; guards SignIn and Exchanges
	SignIn    *identity.SignIn
	Exchanges []identity.Exchange

	factor  identity.SecondFactor
	wrong   int
	started time.Time
}

// pendingSignIns keeps the pending sign-ins in memory. Each tab of a browser has
// its own.
type pendingSignIns struct {
	now func() time.Time

	mu    sync.Mutex
	queue []*pendingSignIn // the oldest first
}

// Add keeps a for pendingLife and gives it a secret ID. If there are too many, it
// removes the oldest.
func (s *pendingSignIns) Add(a *pendingSignIn) {
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
	case len(s.queue) >= maxPending:
		s.remove(0)
	}
	s.queue = append(s.queue, a)
}

// Get returns the pending sign-in with an ID if it belongs to the browser.
func (s *pendingSignIns) Get(id, browser string) (*pendingSignIn, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire()
	i := s.index(id)
	if i < 0 || browser == "" || subtle.ConstantTimeCompare([]byte(s.queue[i].Browser), []byte(browser)) != 1 {
		return nil, false
	}
	return s.queue[i], true
}

// Has reports whether the sign-in with an ID is still pending.
func (s *pendingSignIns) Has(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire()
	return s.index(id) >= 0
}

// Remove removes the sign-in with an ID.
func (s *pendingSignIns) Remove(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := s.index(id); i >= 0 {
		s.remove(i)
	}
}

// Wrong counts a wrong code, and reports whether another may be tried.
func (s *pendingSignIns) Wrong(id string) bool {
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

// expire removes sign-ins that are too old.
func (s *pendingSignIns) expire() {
	latest := s.now().Add(-pendingLife)
	for len(s.queue) > 0 && !s.queue[0].started.After(latest) {
		s.remove(0)
	}
}

func (s *pendingSignIns) index(id string) int {
	return slices.IndexFunc(s.queue, func(a *pendingSignIn) bool { return a.ID == id })
}

func (s *pendingSignIns) remove(i int) { s.queue = slices.Delete(s.queue, i, i+1) }
