package vault_test

import (
	"context"
	"errors"
	"iter"
	"sync"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/store"
)

// A storeLink is one process's way to the store. It can be cut, its writes can
// be delayed as in a process that is paused, and its watch can be interrupted.
type storeLink struct {
	store.Store
	notices chan store.Event // events of the link itself

	mu     sync.Mutex
	err    error         // of every call while the link is cut
	noDel  error         // of every deletion
	paused chan struct{} // closed when writes go on
	reads  int
	writes int
	deaf   bool // the store's events are lost
}

func newStoreLink(s store.Store) *storeLink {
	return &storeLink{Store: s, notices: make(chan store.Event)}
}

// cut makes every call fail with err, or succeed again if err is nil.
func (l *storeLink) cut(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = err
}

// cutDeletes makes every deletion fail with err.
func (l *storeLink) cutDeletes(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.noDel = err
}

// pause makes writes wait for d.
func (l *storeLink) pause(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	paused := make(chan struct{})
	l.paused = paused
	time.AfterFunc(d, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.paused = nil
		close(paused)
	})
}

func (l *storeLink) call(ctx context.Context, write bool) error {
	l.mu.Lock()
	paused, err := l.paused, l.err
	if write {
		l.writes++
	} else {
		l.reads++
	}
	l.mu.Unlock()
	if write && paused != nil {
		select {
		case <-paused:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if err != nil {
		return store.NewFault(ctx, "call", err)
	}
	return nil
}

func (l *storeLink) Get(ctx context.Context, key string) (store.Record, error) {
	if err := l.call(ctx, false); err != nil {
		return store.Record{}, err
	}
	return l.Store.Get(ctx, key)
}

func (l *storeLink) Put(ctx context.Context, r store.Record) (uint64, error) {
	if err := l.call(ctx, true); err != nil {
		return 0, err
	}
	return l.Store.Put(ctx, r)
}

func (l *storeLink) Delete(ctx context.Context, key string) error {
	if err := l.call(ctx, true); err != nil {
		return err
	}
	l.mu.Lock()
	noDel := l.noDel
	l.mu.Unlock()
	if noDel != nil {
		return store.NewFault(ctx, "delete", noDel)
	}
	return l.Store.Delete(ctx, key)
}

// Watch passes events on, except while the link is deaf.
func (l *storeLink) Watch(ctx context.Context) iter.Seq[store.Event] {
	return func(yield func(store.Event) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		events := make(chan store.Event)
		go func() {
			defer close(events)
			for e := range l.Store.Watch(ctx) {
				l.mu.Lock()
				deaf := l.deaf
				l.mu.Unlock()
				if deaf {
					continue
				}
				select {
				case events <- e:
				case <-ctx.Done():
					return
				}
			}
		}()
		for {
			select {
			case e, ok := <-events:
				if !ok || !yield(e) {
					return
				}
			case e := <-l.notices:
				if !yield(e) {
					return
				}
			}
		}
	}
}

// interrupt makes the link deaf and reports that; resume ends it.
func (l *storeLink) interrupt() {
	l.setDeaf(true)
	l.notices <- store.Event{Kind: store.Lost, Err: errors.New("cut")}
	synctest.Wait()
}

func (l *storeLink) resume() {
	synctest.Wait() // events until now are lost
	l.setDeaf(false)
	l.notices <- store.Event{Kind: store.Synced, At: time.Now().Add(24 * time.Hour)}
	synctest.Wait()
}

func (l *storeLink) setDeaf(deaf bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.deaf = deaf
}
