// Package mirror reads records of a store from memory for as long as the store's watch says that they have not changed.
//
// A [Mirror] serves one kind of record, decoded once. What this process writes or reads is kept; what any process changes or
// deletes is read from the store the next time. While the watch is interrupted, every read asks the store.
package mirror

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"b2trader.identity.auth/identity/store"
)

// Config says what a [Mirror] reads. Store, Encode and Decode are required.
type Config[T any] struct {
	Store store.Store

	// Encode and Decode turn values into what the store keeps under a key and back, such as by sealing them.
	Encode func(key string, value T) ([]byte, error)
	Decode func(key string, stored []byte) (T, error)

	// Timeout bounds one call of the store. Zero: 5 seconds.
	Timeout time.Duration

	// Logger is told when the watch is interrupted. Nil: slog.Default().
	Logger *slog.Logger
}

// A Mirror is safe for concurrent use. Close ends its watch.
type Mirror[T any] struct {
	config Config[T]
	slots  sync.Map      // of key to *slot[T]
	live   atomic.Uint64 // the epoch of the watch; 0 while it is interrupted
	epoch  uint64        // counts the times that the watch began; of the watch's goroutine

	stop    context.CancelFunc
	stopped chan struct{}
}

// A Copy is one state of a record. It is shared: nobody changes it.
type Copy[T any] struct {
	Key     string
	Owner   string
	Version uint64
	Expires time.Time
	Value   T

	epoch uint64 // of the watch, before it was read
}

// A slot is where the copies of one key go. A slot that was removed still serves whoever found it before.
type slot[T any] struct {
	copy   atomic.Pointer[Copy[T]] // nil: not read yet
	newest atomic.Uint64           // the newest version that was reported
}

// New returns a Mirror that watches until Close.
func New[T any](config Config[T]) *Mirror[T] {
	if config.Logger == nil {
		config.Logger = slog.Default()
	}
	if config.Timeout == 0 {
		config.Timeout = 5 * time.Second
	}
	m := &Mirror[T]{config: config, stopped: make(chan struct{})}
	var ctx context.Context
	ctx, m.stop = context.WithCancel(context.Background()) //nolint:gosec // Close calls it
	go m.watch(ctx)
	return m
}

// Close ends the watch. Reads then ask the store.
func (m *Mirror[T]) Close() {
	m.stop()
	<-m.stopped
}

// Get returns the record of key, from memory if that is known to be current.
//
// Errors: the store's, and those of Decode.
func (m *Mirror[T]) Get(ctx context.Context, key string) (*Copy[T], error) {
	s := m.slot(key)
	if c := s.copy.Load(); m.current(s, c) {
		return c, nil
	}
	ctx, cancel := context.WithTimeout(ctx, m.config.Timeout)
	defer cancel()
	epoch := m.live.Load() // before the read: what changes during it is then newer than what was read
	r, err := m.config.Store.Get(ctx, key)
	if err != nil {
		m.failed(key, s, err)
		return nil, err
	}
	c, err := m.decode(r, epoch)
	if err != nil {
		m.failed(key, s, err)
		return nil, err
	}
	s.install(c)
	return c, nil
}

// Put creates the record of c.Key, if c.Version is 0, or replaces exactly that version, and returns it as stored.
//
// Errors: the store's, and those of Encode.
func (m *Mirror[T]) Put(ctx context.Context, c Copy[T]) (*Copy[T], error) {
	stored, err := m.config.Encode(c.Key, c.Value)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, m.config.Timeout)
	defer cancel()
	s := m.slot(c.Key)
	c.epoch = m.live.Load()
	version, err := m.config.Store.Put(ctx, store.Record{Key: c.Key, Owner: c.Owner, Version: c.Version, Value: stored, Expires: c.Expires})
	if err != nil {
		m.failed(c.Key, s, err)
		return nil, err
	}
	c.Version = version
	s.install(&c)
	return &c, nil
}

// Delete ends the record of key for good.
//
// Errors: the store's.
func (m *Mirror[T]) Delete(ctx context.Context, key string) error {
	ctx, cancel := context.WithTimeout(ctx, m.config.Timeout)
	defer cancel()
	if err := m.config.Store.Delete(ctx, key); err != nil {
		return err
	}
	m.Forget(key)
	return nil
}

// List returns the records of an owner that can be decoded, as the store has them.
//
// Errors: the store's.
func (m *Mirror[T]) List(ctx context.Context, owner string) ([]*Copy[T], error) {
	ctx, cancel := context.WithTimeout(ctx, m.config.Timeout)
	defer cancel()
	records, err := m.config.Store.List(ctx, owner)
	if err != nil {
		return nil, err
	}
	var copies []*Copy[T]
	for _, r := range records {
		if c, err := m.decode(r, 0); err == nil {
			copies = append(copies, c)
		}
	}
	return copies, nil
}

// Forget drops what is in memory of key. The record is left alone.
func (m *Mirror[T]) Forget(key string) { m.slots.Delete(key) }

// Held returns what is in memory, and whether it is known to be current.
func (m *Mirror[T]) Held() iter.Seq2[*Copy[T], bool] {
	return func(yield func(*Copy[T], bool) bool) {
		m.slots.Range(func(_, found any) bool {
			s := found.(*slot[T])
			c := s.copy.Load()
			return c == nil || yield(c, m.current(s, c))
		})
	}
}

func (m *Mirror[T]) decode(r store.Record, epoch uint64) (*Copy[T], error) {
	value, err := m.config.Decode(r.Key, r.Value)
	if err != nil {
		return nil, err
	}
	return &Copy[T]{Key: r.Key, Owner: r.Owner, Version: r.Version, Expires: r.Expires, Value: value, epoch: epoch}, nil
}

// failed keeps no slot for a record that is gone or has another version, nor for one that was never read.
func (m *Mirror[T]) failed(key string, s *slot[T], err error) {
	if Gone(err) || errors.Is(err, store.ErrConflict) || s.copy.Load() == nil {
		m.slots.CompareAndDelete(key, s)
	}
}

// Gone reports whether err says that there is no record any more.
func Gone(err error) bool {
	return errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrDeleted)
}

func (m *Mirror[T]) slot(key string) *slot[T] {
	if found, ok := m.slots.Load(key); ok {
		return found.(*slot[T])
	}
	found, _ := m.slots.LoadOrStore(key, &slot[T]{})
	return found.(*slot[T])
}

// current reports whether a copy is what is stored.
func (m *Mirror[T]) current(s *slot[T], c *Copy[T]) bool {
	live := m.live.Load()
	return c != nil && live != 0 && c.epoch == live && c.Version >= s.newest.Load()
}

// install takes over a copy that is newer than the one held, or read later.
func (s *slot[T]) install(c *Copy[T]) {
	for {
		old := s.copy.Load()
		if old != nil && (c.Version < old.Version || c.Version == old.Version && c.epoch < old.epoch) {
			return
		}
		if s.copy.CompareAndSwap(old, c) {
			return
		}
	}
}
