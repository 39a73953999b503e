package gateway

import "sync"

// counts counts what is open by key, such as the calls of each session. The
// zero value is ready for use.
type counts struct {
	mu   sync.Mutex // not held while anything waits
	open map[string]int
}

// acquire counts one more for key. It returns false if key has reached the
// limit.
func (c *counts) acquire(key string, limit int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.open[key]
	if n >= limit {
		return false
	}
	if c.open == nil {
		c.open = make(map[string]int)
	}
	c.open[key] = n + 1
	return true
}

func (c *counts) release(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := c.open[key]; n > 1 {
		c.open[key] = n - 1
	} else {
		delete(c.open, key)
	}
}

// places counts calls by session and by user, so that neither can take the
// places of others. The zero value is ready for use.
type places struct{ sessions, users counts }

// enter counts one more call. It returns false if the session or the user has
// reached its limit.
func (p *places) enter(c Caller, perSession, perUser int) bool {
	if !p.sessions.acquire(c.ID, perSession) {
		return false
	}
	if !p.users.acquire(c.User, perUser) {
		p.sessions.release(c.ID)
		return false
	}
	return true
}

func (p *places) leave(c Caller) {
	p.sessions.release(c.ID)
	p.users.release(c.User)
}
