package web

import (
	"net/http"
	"time"
)

// caller is the session that an API call belongs to.
type caller struct {
	id       string // of the session in the store
	vaultKey string
	until    time.Time // before this the session ends only if somebody ends it
}

// Caller finds whose call r is by its cookie alone. It does not decode the
// session, as most of what is in there is for pages. If the call is use of the
// session, the idle time starts anew.
func (s *sessions) Caller(r *http.Request, use bool) (caller, error) {
	cookie, err := r.Cookie(s.manager.Cookie.Name)
	if err != nil {
		return caller{}, errNoSession
	}
	c := caller{id: sessionID(cookie.Value)}
	return c, s.Recheck(&c, use)
}

// Recheck looks c up again. Its error is errNoSession if the session is over.
func (s *sessions) Recheck(c *caller, use bool) error {
	held, until, ok := s.store.Use(c.id, use)
	if !ok || held.VaultKey == "" {
		return errNoSession
	}
	c.vaultKey, c.until = held.VaultKey, until
	return nil
}

// Forget ends c's session, whose tokens are gone.
func (s *sessions) Forget(c caller) { s.store.endID(c.id) }

// Use returns what a session holds and the earliest time at which its own
// times may end it. With touch its idle time starts anew.
func (s *sessionStore) Use(id string, touch bool) (holding, time.Time, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	item := s.live(id)
	if item == nil {
		return holding{}, time.Time{}, false
	}
	if touch {
		item.idleEnd = s.now().Add(s.idle)
	}
	until := item.idleEnd
	if item.latestEnd.Before(until) {
		until = item.latestEnd
	}
	return item.holding, until, true
}

func (s *sessionStore) endID(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if item := s.items[id]; item != nil {
		s.end(id, item)
	}
}
