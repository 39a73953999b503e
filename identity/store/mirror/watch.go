package mirror

import (
	"context"
	"log/slog"
	"time"

	"b2trader.identity.auth/identity/store"
)

// watch follows the store until ctx ends.
func (m *Mirror[T]) watch(ctx context.Context) {
	defer close(m.stopped)
	for ctx.Err() == nil {
		for e := range m.config.Store.Watch(ctx) {
			m.event(e)
		}
		m.live.Store(0)
		select { // a store that ends a watch that nobody stopped is closed, or broken
		case <-time.After(time.Second):
		case <-ctx.Done():
		}
	}
}

func (m *Mirror[T]) event(e store.Event) {
	switch e.Kind {
	case store.Synced:
		m.epoch++
		m.live.Store(m.epoch)
	case store.Lost:
		m.live.Store(0)
		m.config.Logger.Warn("mirror: the store's watch is interrupted: records are read from the store", slog.Any("error", e.Err))
	case store.Changed:
		if found, ok := m.slots.Load(e.Key); ok {
			found.(*slot[T]).reported(e.Version)
		}
	case store.Deleted: // a read under way installs into the slot that nobody finds any more
		m.Forget(e.Key)
	}
}

// reported notes that a version exists. What is older is out of date.
func (s *slot[T]) reported(version uint64) {
	for {
		newest := s.newest.Load()
		if version <= newest || s.newest.CompareAndSwap(newest, version) {
			return
		}
	}
}
