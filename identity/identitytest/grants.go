package identitytest

import (
	"sync"
	"time"
)

// codeGrant is what an authorization code stands for.
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

// refreshGrant is what a refresh token stands for.
type refreshGrant struct {
	handle   string
	client   string
	userID   string
	scopes   []string
	authTime time.Time
	created  time.Time // of the first refresh token; renewing does not change it
	family   string    // the first handle
}

// grantStore holds codes and refresh tokens. The fields above mu are set once, by New.
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

// expired is IdentityServer's rule: at the very end of the lifetime a grant still works.
func expired(created time.Time, lifetime time.Duration, now time.Time) bool {
	return now.After(created.Add(lifetime))
}

// sweep forgets what has expired, now and then.
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

// burnCode takes a code out of the store, whatever becomes of the exchange.
func (st *grantStore) burnCode(code string) (codeGrant, bool) {
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

// useToken takes a refresh token out of the store if check accepts it: it works once.
func (st *grantStore) useToken(handle string, now time.Time, check func(refreshGrant) *protocolError) (refreshGrant, *protocolError) {
	refused := func(reason string) *protocolError { return &protocolError{code: "invalid_grant", reason: reason} }
	st.mu.Lock()
	defer st.mu.Unlock()
	g, ok := st.tokens[handle]
	if !ok {
		if used, reused := st.consumed[handle]; reused {
			st.dropFamily(used.family)
			return refreshGrant{}, refused("refresh token used again, its family is revoked")
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

// revoke drops the refresh tokens that match.
func (st *grantStore) revoke(matches func(refreshGrant) bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	for handle, g := range st.tokens {
		if matches(g) {
			delete(st.tokens, handle)
		}
	}
}
