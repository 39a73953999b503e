package vault

import (
	"log/slog"
	"time"

	"b2trader.identity.auth/identity/store"
)

// watch keeps what this process holds in step with the store, until the vault closes.
func (v *Vault) watch() {
	defer v.loops.Done()
	for v.ctx.Err() == nil {
		for e := range v.shelf.store.Watch(v.ctx) {
			v.event(e)
		}
		v.live.Store(0)
		select { // a store that ends a watch that nobody stopped is closed, or broken
		case <-time.After(time.Second):
		case <-v.ctx.Done():
		}
	}
}

func (v *Vault) event(e store.Event) {
	switch e.Kind {
	case store.Synced:
		v.epoch++
		v.live.Store(v.epoch)
		v.index.each(v.recheck)
	case store.Lost:
		v.live.Store(0)
		v.config.Logger.Warn("vault: the store's watch is interrupted: entries are read from the store", slog.Any("error", e.Err))
	case store.Changed:
		if s := v.index.at(e.Key); s != nil {
			s.reported(e.Version)
		}
	case store.Deleted:
		if s := v.index.at(e.Key); s != nil {
			v.end(s)
		}
	}
}

// recheck looks whether an entry was deleted while nobody told us, for those who wait to hear of it.
func (v *Vault) recheck(s *slot) {
	s.mu.Lock()
	watched := s.watchers > 0
	s.mu.Unlock()
	if !watched || !v.begin() {
		return
	}
	go func() {
		defer v.running.Done()
		_, _ = v.load(v.ctx, s) // ends the slot if the record is gone
	}()
}

// end forgets an entry that was deleted.
func (v *Vault) end(s *slot) {
	s.bury()
	v.index.remove(s)
}

// current reports whether what is held is what is stored.
func (v *Vault) current(s *slot, h *held) bool {
	live := v.live.Load()
	return h != nil && live != 0 && h.epoch == live && h.version >= s.newest.Load()
}

// sweep forgets slots that nobody uses: a token in use is renewed, so an expired one is not, unless its renewals fail.
func (v *Vault) sweep() {
	defer v.loops.Done()
	const every, idle = time.Minute, 10 * time.Minute
	for {
		select {
		case <-time.After(every):
		case <-v.ctx.Done():
			return
		}
		now := v.config.Now()
		v.index.each(func(s *slot) {
			h := s.held.Load()
			s.mu.Lock()
			idleSlot := s.flight == nil && s.loading == nil && s.watchers == 0 && now.After(s.notUntil.Add(idle)) &&
				(h == nil || now.After(h.expiry.Add(idle)) || now.After(h.record.Until))
			s.mu.Unlock()
			if idleSlot {
				v.index.remove(s)
			}
		})
	}
}
