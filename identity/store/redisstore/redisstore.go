// Package redisstore keeps records in Redis (6.2 or later) or Valkey: one server, a primary under Sentinel, or a
// cluster.
//
// # What a read costs
//
// The server remembers what this process has read and says when it changes (client-side caching,
// https://redis.io/docs/latest/develop/reference/client-side-caching/), so Get of a record that did not change is a
// read from memory. A change by another process is seen when the message arrives; if the connection dies the memory
// is emptied, and if it goes silent that is noticed within Config.Timeout and a second. After a fault of Put or
// Delete, Get asks the server. List always does.
//
// # What a write costs
//
// A swap takes one round trip, a create or a longer life two: first the list of the owner, then the record. No script
// touches two keys, so records and lists may be on different servers of a cluster. A list may therefore name records
// that are not there, never the other way round; List skips those, and they leave the list when they would have
// expired. Each swap also repairs the owner's list, in case a failover lost it.
//
// # What Redis can lose
//
// Redis replicates and saves after it answers. A failover or a crash may lose the last writes, a deletion among them,
// unless it is configured otherwise (appendfsync always, min-replicas-to-write). Versions are taken from the server's
// clock, so that a version that was lost is never given to another value. maxmemory-policy must be noeviction: an
// evicted tombstone protects nothing.
//
// # Watch
//
// Changes come by PUBLISH, which in a cluster reaches all servers; this package subscribes at each of them, so that
// an event is lost only if the connections to all are, and then Lost is reported. Silence is noticed as above.
//
// The driver is github.com/redis/rueidis.
package redisstore

import (
	"context"
	"errors"
	"iter"
	"sync"
	"time"

	"github.com/redis/rueidis"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/internal/feed"
)

// cacheFor bounds how long an unchanged record is remembered. The server's notice ends it sooner, and so does expiry.
const cacheFor = 10 * time.Minute

// A Store keeps records in Redis.
type Store struct {
	client  rueidis.Client
	name    names
	timeout time.Duration
	floors  floors
	hub     feed.Hub

	stop    context.CancelFunc
	running sync.WaitGroup
	closed  chan struct{}
	once    sync.Once
}

var _ store.Store = (*Store)(nil)

// Open connects.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	options, err := cfg.options()
	if err != nil {
		return nil, err
	}
	client, err := rueidis.NewClient(options)
	if err != nil {
		return nil, store.NewFault(ctx, "redis: open", err)
	}
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	s := &Store{client: client, name: newNames(cfg.Prefix), timeout: options.ConnWriteTimeout, stop: stop, closed: make(chan struct{})}
	s.running.Go(func() { s.hub.Follow(background, s.subscribe) })
	return s, nil
}

// Close ends every Watch. Afterwards all methods fail with store.ErrClosed. It always returns nil.
func (s *Store) Close() error {
	s.once.Do(func() {
		close(s.closed)
		s.stop()
		s.hub.Close()
		s.client.Close()
		s.running.Wait()
	})
	return nil
}

// begin says why a call cannot begin, or bounds it.
func (s *Store) begin(ctx context.Context, op string) (context.Context, context.CancelFunc, error) {
	select {
	case <-s.closed:
		return nil, nil, store.NewFault(ctx, op, store.ErrClosed)
	default:
	}
	if err := ctx.Err(); err != nil {
		return nil, nil, store.NewFault(ctx, op, err)
	}
	bounded, cancel := context.WithTimeout(ctx, s.timeout)
	return bounded, cancel, nil
}

// fault wraps what the driver said. ctx is the caller's.
func (s *Store) fault(ctx context.Context, op string, err error) error {
	if errors.Is(err, rueidis.ErrClosing) {
		err = errors.Join(store.ErrClosed, err)
	}
	return store.NewFault(ctx, op, err)
}

// Get returns the record of key.
func (s *Store) Get(ctx context.Context, key string) (store.Record, error) {
	const op = "redis: get"
	bounded, cancel, err := s.begin(ctx, op)
	if err != nil {
		return store.Record{}, err
	}
	defer cancel()
	name := s.name.record(key)
	floor := s.floors.of(key)
	kept, err := decode(key, s.client.DoCache(bounded, s.client.B().Get().Key(name).Cache(), cacheFor))
	if err == nil && kept.record.Version < floor { // the notice is on its way
		kept, err = decode(key, s.client.Do(bounded, s.client.B().Get().Key(name).Build()))
		s.floors.raise(key, kept.record.Version)
	}
	switch {
	case err != nil:
		return store.Record{}, s.fault(ctx, op, err)
	case kept.record.Version == 0:
		return store.Record{}, store.ErrNotFound
	case kept.deleted:
		return store.Record{}, store.ErrDeleted
	}
	return kept.record, nil
}

// Put creates a record or replaces one of a known version.
func (s *Store) Put(ctx context.Context, r store.Record) (uint64, error) {
	const op = "redis: put"
	if err := r.Check(); err != nil {
		return 0, err
	}
	bounded, cancel, err := s.begin(ctx, op)
	if err != nil {
		return 0, err
	}
	defer cancel()
	indexed := r.Owner == ""
	if r.Version == 0 && !indexed {
		if err := s.index(bounded, r); err != nil {
			return 0, s.fault(ctx, op, err)
		}
		indexed = true
	}
	answer, err := s.put(bounded, r, indexed)
	if err == nil && answer.says == mustIndex { // a longer life, which the list must know of before the record has it
		if err = s.index(bounded, r); err == nil {
			answer, err = s.put(bounded, r, true)
		}
	}
	if err != nil {
		s.floors.raise(r.Key, r.Version+1) // it may have been carried out
		return 0, s.fault(ctx, op, err)
	}
	s.floors.raise(r.Key, answer.version)
	return answer.result()
}

// Delete ends the record of key.
func (s *Store) Delete(ctx context.Context, key string) error {
	const op = "redis: delete"
	bounded, cancel, err := s.begin(ctx, op)
	if err != nil {
		return err
	}
	defer cancel()
	left, err := s.bury(bounded, key)
	if err != nil {
		s.floors.raise(key, askServer)
		return s.fault(ctx, op, err)
	}
	s.floors.raise(key, left.record.Version)
	if left.record.Owner != "" {
		s.unindex(bounded, left.record)
	}
	return nil
}

// listBatch is how many records List asks for at once.
const listBatch = 128

// List returns the live records of owner.
func (s *Store) List(ctx context.Context, owner string) ([]store.Record, error) {
	const op = "redis: list"
	bounded, cancel, err := s.begin(ctx, op)
	if err != nil || owner == "" {
		return nil, err
	}
	defer cancel()
	keys, err := s.indexed(bounded, owner)
	if err != nil {
		return nil, s.fault(ctx, op, err)
	}
	var list []store.Record
	for len(keys) > 0 {
		n := min(listBatch, len(keys))
		commands := make(rueidis.Commands, n)
		for i, key := range keys[:n] {
			commands[i] = s.client.B().Get().Key(s.name.record(key)).Build()
		}
		for i, answer := range s.client.DoMulti(bounded, commands...) {
			kept, err := decode(keys[i], answer)
			if err != nil {
				return nil, s.fault(ctx, op, err)
			}
			if kept.record.Version != 0 && !kept.deleted && kept.record.Owner == owner {
				list = append(list, kept.record)
			}
		}
		keys = keys[n:]
	}
	return list, nil
}

// Watch reports what changes.
func (s *Store) Watch(ctx context.Context) iter.Seq[store.Event] { return s.hub.Watch(ctx) }
