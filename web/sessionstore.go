package web

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"sync"
	"time"
)

// errSessionEnded is what saving a session that has ended meanwhile gives.
var errSessionEnded = errors.New("web: the session has ended")

// sessionStore keeps the sessions of scs in memory, under a hash of their
// tokens, so that its content alone opens no session.
//
// It differs from the store that comes with scs in three ways. A session that
// ended (signed out, renewed, idle too long) leaves a tombstone until its
// latest end, so a slow request that began earlier cannot save it back to
// life. The idle time lies beside the value, so a request that only reads
// writes nothing. And it knows whose session each is.
type sessionStore struct {
	now     func() time.Time
	idle    time.Duration
	holding func(value []byte) holding

	mu    sync.Mutex
	items map[string]*storedSession
	owned map[string]map[string]bool // owner to the ids of their live sessions
}

// holding is what a session holds outside of the store.
type holding struct {
	Owner    string // empty: nobody is signed in
	VaultKey string
	Client   string
}

// storedSession is one session, or the tombstone of one.
type storedSession struct {
	value     []byte
	ended     bool
	holding   holding
	idleEnd   time.Time
	latestEnd time.Time
}

func newSessionStore(now func() time.Time, idle time.Duration, hold func([]byte) holding) *sessionStore {
	return &sessionStore{
		now: now, idle: idle, holding: hold,
		items: make(map[string]*storedSession),
		owned: make(map[string]map[string]bool),
	}
}

// sessionID is the name of a session in the store and, shortened, in the log.
func sessionID(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Find implements scs.Store.
func (s *sessionStore) Find(token string) ([]byte, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	item := s.live(sessionID(token))
	if item == nil {
		return nil, false, nil
	}
	return item.value, true, nil
}

// Commit implements scs.Store: it creates or changes a session that may last
// until expiry. It refuses to bring back one that has ended. Changing a
// session does not make it less idle; Touch does.
func (s *sessionStore) Commit(token string, value []byte, expiry time.Time) error {
	hold := s.holding(value)
	id := sessionID(token)
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	item := s.live(id)
	if item == nil {
		if s.items[id] != nil || !now.Before(expiry) {
			return errSessionEnded
		}
		item = &storedSession{idleEnd: now.Add(s.idle)}
		s.items[id] = item
	}
	s.disown(id, item)
	item.value, item.holding, item.latestEnd = value, hold, expiry
	s.own(id, item)
	return nil
}

// Delete implements scs.Store: it ends a session and leaves a tombstone.
func (s *sessionStore) Delete(token string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := sessionID(token)
	if item := s.items[id]; item != nil {
		s.end(id, item)
	}
	return nil
}

// Touch notes that somebody is using the session: its idle time starts anew.
func (s *sessionStore) Touch(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if item := s.live(sessionID(token)); item != nil {
		item.idleEnd = s.now().Add(s.idle)
	}
}

// Ends says when the session ends if it is not used, and when it ends anyway.
func (s *sessionStore) Ends(token string) (idle, latest time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	item := s.live(sessionID(token))
	if item == nil {
		return time.Time{}, time.Time{}
	}
	if item.latestEnd.Before(item.idleEnd) {
		return item.latestEnd, item.latestEnd
	}
	return item.idleEnd, item.latestEnd
}

// EndOwner ends every session of owner and returns what they held. It costs
// what the owner has, not what the store has.
func (s *sessionStore) EndOwner(owner string) []holding {
	s.mu.Lock()
	defer s.mu.Unlock()
	var held []holding
	for id := range s.owned[owner] {
		item := s.items[id]
		held = append(held, item.holding)
		s.end(id, item)
	}
	return held
}

// Sweep ends the sessions whose time is over, forgets tombstones that nothing
// can come back through any more, and returns what the ended ones held.
func (s *sessionStore) Sweep() []holding {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	var held []holding
	for id, item := range s.items {
		if !item.ended && s.live(id) == nil {
			if item.holding.VaultKey != "" {
				held = append(held, item.holding)
			}
			s.end(id, item)
		}
		if !now.Before(item.latestEnd) {
			delete(s.items, id)
		}
	}
	return held
}

// live returns the session if there is one whose time is not over.
func (s *sessionStore) live(id string) *storedSession {
	item := s.items[id]
	if item == nil || item.ended {
		return nil
	}
	if now := s.now(); !now.Before(item.idleEnd) || !now.Before(item.latestEnd) {
		return nil
	}
	return item
}

func (s *sessionStore) end(id string, item *storedSession) {
	s.disown(id, item)
	item.value, item.holding, item.ended = nil, holding{}, true
}

func (s *sessionStore) own(id string, item *storedSession) {
	owner := item.holding.Owner
	if owner == "" {
		return
	}
	if s.owned[owner] == nil {
		s.owned[owner] = make(map[string]bool)
	}
	s.owned[owner][id] = true
}

func (s *sessionStore) disown(id string, item *storedSession) {
	owner := item.holding.Owner
	delete(s.owned[owner], id)
	if len(s.owned[owner]) == 0 {
		delete(s.owned, owner)
	}
}
