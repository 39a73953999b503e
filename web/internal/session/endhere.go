package session

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// Selection selects sessions: those that came from one session at the
// IdentityServer, or, without IdentityID, all of a user.
type Selection struct {
	Issuer, Subject string // Subject may be empty if IdentityID is not
	IdentityID      string
}

func (s *Selection) has(owner, identityID string) bool {
	if s.IdentityID != "" && s.IdentityID != identityID {
		return false
	}
	return owner == s.Issuer+" "+s.Subject || s.Subject == "" && s.IdentityID != "" && strings.HasPrefix(owner, s.Issuer+" ")
}

// endedHere keeps the sessions that have ended for this process only, because
// the store cannot be written.
type endedHere struct {
	selections atomic.Pointer[[]*Selection] // nil: none
	mu         sync.Mutex                   // guards writes of selections, and waiting
	waiting    map[chan struct{}]listener
}

// listener is the session that a caller of endedHere waits for.
type listener struct{ owner, identityID string }

func (e *endedHere) has(owner, identityID string) bool {
	list := e.selections.Load()
	return list != nil && slices.ContainsFunc(*list, func(s *Selection) bool { return s.has(owner, identityID) })
}

// set replaces the selections. The caller holds mu.
func (e *endedHere) set(list []*Selection) {
	if len(list) == 0 {
		e.selections.Store(nil)
		return
	}
	e.selections.Store(&list)
}

// all returns a copy of the selections. The caller holds mu.
func (e *endedHere) all() []*Selection {
	if list := e.selections.Load(); list != nil {
		return slices.Clone(*list)
	}
	return nil
}

// EndHere makes this process treat sessions as ended until lift is called. It
// is for an end that the store cannot be told yet.
func (m *Manager) EndHere(which Selection) (lift func()) {
	e := &m.store.endedHere
	e.mu.Lock()
	defer e.mu.Unlock()
	e.set(append(e.all(), &which))
	for ended, u := range e.waiting {
		if which.has(u.owner, u.identityID) {
			close(ended)
			delete(e.waiting, ended)
		}
	}
	return sync.OnceFunc(func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.set(slices.DeleteFunc(e.all(), func(s *Selection) bool { return s == &which }))
	})
}

// endedHere returns a channel that is closed when EndHere ends a session of an
// owner, and a function that ends the wait for it.
func (m *Manager) endedHere(owner, identityID string) (ended <-chan struct{}, stop func()) {
	e := &m.store.endedHere
	e.mu.Lock()
	defer e.mu.Unlock()
	c := make(chan struct{})
	if e.has(owner, identityID) {
		close(c)
		return c, func() {}
	}
	if e.waiting == nil {
		e.waiting = make(map[chan struct{}]listener)
	}
	e.waiting[c] = listener{owner, identityID}
	return c, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.waiting, c)
	}
}
