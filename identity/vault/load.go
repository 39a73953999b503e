package vault

import (
	"context"
	"time"
)

// storeTimeout bounds one call of the store.
const storeTimeout = 5 * time.Second

// A call is one read of the store that any number of callers wait for.
type call struct {
	done chan struct{}
	held *held
	err  error
}

// look returns what is stored under key: from memory if that is known to be current, else from the store.
func (v *Vault) look(ctx context.Context, key string) (*slot, *held, error) {
	s := v.index.get(key)
	if s == nil {
		s = v.index.ensure(key, v.shelf.place(key))
	}
	h := s.held.Load()
	if !v.current(s, h) {
		var err error
		if h, err = v.load(ctx, s); err != nil {
			return s, nil, err
		}
	}
	if h.record.Dead {
		return s, h, ErrEnded
	}
	return s, h, nil
}

// load reads the record. Callers that come while it does share the read, each as long as its own context.
func (v *Vault) load(ctx context.Context, s *slot) (*held, error) {
	s.mu.Lock()
	c := s.loading
	if c == nil {
		if !v.begin() {
			s.mu.Unlock()
			return nil, unavailable(errClosed)
		}
		c = &call{done: make(chan struct{})}
		s.loading = c
		go v.read(s, c)
	}
	s.mu.Unlock()
	select {
	case <-c.done:
		return c.held, c.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (v *Vault) read(s *slot, c *call) {
	defer v.running.Done()
	ctx, cancel := context.WithTimeout(v.ctx, storeTimeout)
	defer cancel()
	epoch := v.live.Load() // before the read: what changes during it is then newer than what was read
	r, version, err := v.shelf.get(ctx, s.place)
	switch {
	case err == nil:
		s.install(v.hold(r, version, epoch))
		c.held = s.held.Load()
	case gone(err):
		v.end(s)
		c.err = ErrNotFound
	default:
		c.err = unavailable(err)
	}
	s.mu.Lock()
	s.loading = nil
	s.mu.Unlock()
	close(c.done)
}
