package vault

import "sync"

// maxShared bounds the scopes of sharedExtras: servers choose scopes.
const maxShared = 64

// sharedExtras are the extras of tokens that have a scope and no other extra.
// Most tokens have one of a few scopes. Those with the same scope share a map,
// which would take a tenth of an entry's memory.
type sharedExtras struct {
	mu      sync.Mutex
	byScope map[string]map[string]any
}

func (s *sharedExtras) of(scope string) map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	extras := s.byScope[scope]
	if extras == nil {
		extras = map[string]any{"scope": scope}
		if s.byScope == nil || len(s.byScope) >= maxShared {
			s.byScope = map[string]map[string]any{}
		}
		s.byScope[scope] = extras
	}
	return extras
}
