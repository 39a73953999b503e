package identitytest

import (
	"sync"
	"time"
)

// codeGrant is the grant of an authorization code.
type codeGrant struct {
	client      string
	userID      string
	redirectURI string
	scopes      []string
	nonce       string
	challenge   string
	authTime    time.Time
	sessionID   string
	created     time.Time
}

// refreshGrant is the grant of a refresh token.
type refreshGrant struct {
	handle   string
	client   string
	userID   string
	scopes   []string
	authTime time.Time
	created  time.Time // of the first refresh token; a renewal keeps it
	family   string    // the first handle
}

// grantStore keeps codes and refresh tokens. New sets the fields above mu,
// which then never change.
type grantStore struct {
	codeLifetime       time.Duration
	tokenLifetime      time.Duration
	reuseRevokesFamily bool

	mu       sync.Mutex
	codes    map[string]codeGrant
	tokens   map[string]refreshGrant
	consumed map[string]refreshGrant // used refresh tokens, kept only if reuse matters
	sweepAt  int
}

// addCode stores a new code.
func (st *grantStore) addCode(g codeGrant) (code string) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.sweep(g.created)
	if st.codes == nil {
		st.codes = make(map[string]codeGrant)
	}
	code = newHandle()
	st.codes[code] = g
	return code
}

// expired reports whether a lifetime is over. As in IdentityServer, a grant
// still works at the end of its lifetime.
func expired(created time.Time, lifetime time.Duration, now time.Time) bool {
	return now.After(created.Add(lifetime))
}

// sweep removes expired grants once the store has doubled.
func (st *grantStore) sweep(now time.Time) {
	if len(st.codes)+len(st.tokens)+len(st.consumed) < st.sweepAt {
		return
	}
	for code, g := range st.codes {
		if expired(g.created, st.codeLifetime, now) {
			delete(st.codes, code)
		}
	}
	for _, grants := range []map[string]refreshGrant{st.tokens, st.consumed} {
		for handle, g := range grants {
			if expired(g.created, st.tokenLifetime, now) {
				delete(grants, handle)
			}
		}
	}
	st.sweepAt = 2*(len(st.codes)+len(st.tokens)+len(st.consumed)) + 256
}

// useCode returns the grant of a code and removes the code, even if the
// exchange fails later.
func (st *grantStore) useCode(code string) (codeGrant, bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	g, ok := st.codes[code]
	delete(st.codes, code)
	return g, ok
}

// addToken stores a new refresh token for g, which may be a renewed one.
func (st *grantStore) addToken(g refreshGrant, now time.Time) (handle string) {
	g.handle = newHandle()
	if g.family == "" {
		g.family = g.handle
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	st.sweep(now)
	if st.tokens == nil {
		st.tokens, st.consumed = make(map[string]refreshGrant), make(map[string]refreshGrant)
	}
	st.tokens[g.handle] = g
	return g.handle
}

// useToken returns the grant of a refresh token and removes the token, which
// works once, if check accepts it.
func (st *grantStore) useToken(handle string, now time.Time, check func(refreshGrant) *protocolError) (refreshGrant, *protocolError) {
	refused := func(reason string) *protocolError { return &protocolError{code: "invalid_grant", reason: reason} }
	st.mu.Lock()
	defer st.mu.Unlock()
	g, ok := st.tokens[handle]
	if !ok {
		if used, reused := st.consumed[handle]; reused {
			st.dropFamily(used.family)
			return refreshGrant{}, refused("refresh token used again: its family is revoked")
		}
		return refreshGrant{}, refused("refresh token unknown or used")
	}
	if expired(g.created, st.tokenLifetime, now) {
		delete(st.tokens, handle)
		return refreshGrant{}, refused("refresh token expired")
	}
	if problem := check(g); problem != nil {
		return refreshGrant{}, problem
	}
	delete(st.tokens, handle)
	if st.reuseRevokesFamily {
		st.consumed[handle] = g
	}
	return g, nil
}

func (st *grantStore) dropFamily(family string) {
	for _, grants := range []map[string]refreshGrant{st.tokens, st.consumed} {
		for handle, g := range grants {
			if g.family == family {
				delete(grants, handle)
			}
		}
	}
}

// revoke removes the refresh tokens that match.
func (st *grantStore) revoke(matches func(refreshGrant) bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	for handle, g := range st.tokens {
		if matches(g) {
			delete(st.tokens, handle)
		}
	}
}
