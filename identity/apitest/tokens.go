package apitest

import (
	"maps"
	"sync"
	"time"
)

// Tokens are the valid tokens of one kind that a server has issued, each with
// an owner, such as a login or a platform. It is safe for concurrent use.
type Tokens struct {
	now      func() time.Time
	lifetime time.Duration

	mu      sync.Mutex
	valid   map[string]grant
	sweepAt int // the number of tokens at which Add removes expired ones
}

type grant struct {
	owner string
	until time.Time
}

// NewTokens returns an empty Tokens for tokens with that lifetime by the clock
// now. A nil clock means time.Now.
func NewTokens(now func() time.Time, lifetime time.Duration) *Tokens {
	if now == nil {
		now = time.Now
	}
	return &Tokens{now: now, lifetime: lifetime, valid: make(map[string]grant)}
}

// Add makes the token valid for its lifetime.
func (t *Tokens) Add(token, owner string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	if len(t.valid) >= t.sweepAt {
		maps.DeleteFunc(t.valid, func(_ string, g grant) bool { return !now.Before(g.until) })
		t.sweepAt = max(1024, 2*len(t.valid))
	}
	t.valid[token] = grant{owner, now.Add(t.lifetime)}
}

// Owner returns the token's owner, and whether the token is valid. It is
// invalid at the end of its lifetime.
func (t *Tokens) Owner(token string) (owner string, ok bool) { return t.Use(token, true) }

// Spend is Owner for a token that works once: of several concurrent callers,
// one gets true.
func (t *Tokens) Spend(token string) (owner string, ok bool) { return t.Use(token, false) }

// Use is Owner if the token may be used again, and otherwise Spend.
func (t *Tokens) Use(token string, again bool) (owner string, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	g, known := t.valid[token]
	if !again {
		delete(t.valid, token)
	}
	if !known || !t.now().Before(g.until) {
		return "", false
	}
	return g.owner, true
}

// Forget invalidates the owner's tokens.
func (t *Tokens) Forget(owner string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	maps.DeleteFunc(t.valid, func(_ string, g grant) bool { return g.owner == owner })
}

// Clear invalidates all tokens.
func (t *Tokens) Clear() {
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.valid)
}
