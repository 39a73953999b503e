package apitest

import (
	"maps"
	"sync"
	"time"
)

// Tokens are the tokens of one kind that a server has given and still takes, each with an
// owner: a login, a platform, whatever it is for. It is safe for concurrent use.
type Tokens struct {
	now      func() time.Time
	lifetime time.Duration

	mu    sync.Mutex
	good  map[string]grant
	crowd int // as many tokens are worth a look for those that have expired
}

type grant struct {
	owner string
	until time.Time
}

// NewTokens returns none, of a kind that lives so long by the clock now. A nil clock means
// time.Now.
func NewTokens(now func() time.Time, lifetime time.Duration) *Tokens {
	if now == nil {
		now = time.Now
	}
	return &Tokens{now: now, lifetime: lifetime, good: make(map[string]grant)}
}

// Add takes the token from now on, for as long as its kind lives.
func (t *Tokens) Add(token, owner string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	if len(t.good) >= t.crowd {
		maps.DeleteFunc(t.good, func(_ string, g grant) bool { return !now.Before(g.until) })
		t.crowd = max(1024, 2*len(t.good))
	}
	t.good[token] = grant{owner, now.Add(t.lifetime)}
}

// Owner returns whose the token is, and whether it is good. It is not at the very end of its
// lifetime.
func (t *Tokens) Owner(token string) (owner string, ok bool) { return t.Use(token, true) }

// Spend is Owner, once: of many callers at the same time, one is told that the token is
// good.
func (t *Tokens) Spend(token string) (owner string, ok bool) { return t.Use(token, false) }

// Use is Owner for a token that may be used again, and Spend for one that may not.
func (t *Tokens) Use(token string, again bool) (owner string, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	g, known := t.good[token]
	if !again {
		delete(t.good, token)
	}
	if !known || !t.now().Before(g.until) {
		return "", false
	}
	return g.owner, true
}

// Forget takes none of the owner's tokens any more.
func (t *Tokens) Forget(owner string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	maps.DeleteFunc(t.good, func(_ string, g grant) bool { return g.owner == owner })
}

// Clear takes none of the tokens any more.
func (t *Tokens) Clear() {
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.good)
}
