// Package redisstore keeps records in Redis (6.2 or later) or Valkey: one
// server, a primary under Sentinel, or a cluster.
//
// # Cost
//
// A read is one round trip: the driver's client-side cache is off, because it
// answers from memory while the connection is silent. A swap takes one round
// trip. A new record or a longer life takes two: first the list of the owner,
// then the record. No script uses two keys, so records and lists may be on
// different servers of a cluster. A list may contain keys without a record; List
// skips them, and they leave the list when they expire. A record is always in
// its list. Each swap also repairs the list, in case a failover lost it.
//
// # What Redis can lose
//
// Redis replicates and saves after it answers. With Sentinel and in a cluster a
// write waits for one replica (Config.ReplicaWait). Without that, and if no
// replica answers, a failover or a crash may lose the last writes and deletions,
// unless Redis is configured otherwise (appendfsync always,
// min-replicas-to-write). Package records then writes what a process still
// knows. Versions come from the clock of the server, so
// a lost version is not given to another value. Set maxmemory-policy to
// noeviction: an evicted tombstone protects nothing.
//
// A server that was demoted keeps its connections and refuses writes (READONLY).
// The store then drops its connections and dials again, as it does when a server
// answers LOADING, MASTERDOWN, NOREPLICAS or CLUSTERDOWN.
//
// # Watch
//
// Changes come by PUBLISH, which in a cluster reaches all servers. The store
// subscribes at each of them, and reports Lost when one of the connections ends
// or is silent for Config.Timeout. Three times a second the store asks each
// server on this connection for a sign of life.
//
// The driver is github.com/redis/rueidis.
package redisstore

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/redis/rueidis"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/internal/lifecycle"
)

// A Store keeps records in Redis.
type Store struct {
	client rueidis.Client
	conns  connections

	replicas replicas
	name     names
	timeout  time.Duration
	life     *lifecycle.Lifecycle
}

var (
	_ store.Store = (*Store)(nil)
	_ store.Clock = (*Store)(nil)
)

// Open connects to the server, and checks that it may report changes.
//
// Errors: every problem of the Config, joined, each a *tokenapi.FieldError; a
// *store.Fault; the context's.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	options, err := cfg.options()
	if err != nil {
		return nil, err
	}
	life := lifecycle.New(ctx, "redis")
	s := &Store{name: newNames(cfg.Prefix), timeout: options.ConnWriteTimeout, life: life}
	s.conns.check = cfg.checkPrivate
	options.DialCtxFn = s.conns.dial
	if s.client, err = rueidis.NewClient(options); err != nil {
		return nil, life.Fault(ctx, "open", err)
	}
	if err := s.checkPermissions(ctx); err != nil {
		s.client.Close()
		return nil, life.Fault(ctx, "open", err)
	}
	s.replicas.wait = cfg.waitFor(s.client.Mode())
	life.Go(func(ctx context.Context) { life.Hub.Reconnect(ctx, s.subscribe) })
	return s, nil
}

// Close ends every Watch. Later calls of other methods fail with
// store.ErrClosed. It always returns nil.
func (s *Store) Close() error {
	return s.life.Close(func() error {
		s.client.Close()
		return nil
	})
}

// begin returns why a call cannot begin, or a context with the timeout of a
// call.
func (s *Store) begin(ctx context.Context, op string) (context.Context, context.CancelFunc, error) {
	if err := s.life.Check(ctx, op); err != nil {
		return nil, nil, err
	}
	bounded, cancel := context.WithTimeout(ctx, s.timeout)
	return bounded, cancel, nil
}

// fault wraps an error of the driver. ctx is the context of the caller. If the
// server cannot serve, it drops the connections.
func (s *Store) fault(ctx context.Context, op string, err error) error {
	if wrongServer(err) {
		s.conns.drop()
	}
	if errors.Is(err, rueidis.ErrClosing) {
		err = errors.Join(store.ErrClosed, err)
	}
	return s.life.Fault(ctx, op, err)
}

// Get returns the record of key.
func (s *Store) Get(ctx context.Context, key string) (store.Record, error) {
	const op = "get"
	bounded, cancel, err := s.begin(ctx, op)
	if err != nil {
		return store.Record{}, err
	}
	defer cancel()
	found, err := decode(key, s.client.Do(bounded, s.client.B().Get().Key(s.name.record(key)).Build()))
	switch {
	case err != nil:
		return store.Record{}, s.fault(ctx, op, err)
	case found.record.Version == 0:
		return store.Record{}, store.ErrNotFound
	case found.deleted:
		return store.Record{}, store.ErrDeleted
	}
	return found.record, nil
}

// Put creates a record or replaces one of a known version.
func (s *Store) Put(ctx context.Context, r store.Record) (uint64, error) {
	const op = "put"
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
	if err == nil && answer.code == mustIndex { // a longer life, which the list must have before the record
		if err = s.index(bounded, r); err == nil {
			answer, err = s.put(bounded, r, true)
		}
	}
	if err != nil {
		return 0, s.fault(ctx, op, err)
	}
	if answer.code == done {
		s.replicate(bounded, s.name.record(r.Key))
	}
	return answer.result()
}

// Delete deletes the record of key.
func (s *Store) Delete(ctx context.Context, key string) error {
	const op = "delete"
	bounded, cancel, err := s.begin(ctx, op)
	if err != nil {
		return err
	}
	defer cancel()
	tombstone, err := s.delete(bounded, key)
	if err != nil {
		return s.fault(ctx, op, err)
	}
	if tombstone.record.Owner != "" {
		s.unindex(bounded, tombstone.record)
	}
	if tombstone.record.Version != 0 {
		s.replicate(bounded, s.name.record(key))
	}
	return nil
}

// listBatch is how many records List reads at once.
const listBatch = 128

// List returns the live records of owner.
func (s *Store) List(ctx context.Context, owner string) ([]store.Record, error) {
	const op = "list"
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
			found, err := decode(keys[i], answer)
			if err != nil {
				return nil, s.fault(ctx, op, err)
			}
			if found.record.Version != 0 && !found.deleted && found.record.Owner == owner {
				list = append(list, found.record)
			}
		}
		keys = keys[n:]
	}
	return list, nil
}

// Time implements store.Clock by the clock of the server, in a cluster by that
// of one server.
func (s *Store) Time(ctx context.Context) (time.Time, error) {
	const op = "time"
	bounded, cancel, err := s.begin(ctx, op)
	if err != nil {
		return time.Time{}, err
	}
	defer cancel()
	parts, err := s.client.Do(bounded, s.client.B().Time().Build()).AsIntSlice()
	if err == nil && len(parts) != 2 {
		err = fmt.Errorf("TIME returned %d numbers, want 2", len(parts))
	}
	if err != nil {
		return time.Time{}, s.fault(ctx, op, err)
	}
	return time.Unix(parts[0], parts[1]*1000), nil
}

// Watch reports changes.
func (s *Store) Watch(ctx context.Context) iter.Seq[store.Event] { return s.life.Hub.Watch(ctx) }
