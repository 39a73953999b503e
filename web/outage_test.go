package web_test

import (
	"context"
	"io"
	"sync"
	"sync/atomic"

	"b2trader.identity.auth/identity/store"
)

// outage is a store that can be down, and remembers what was written.
type outage struct {
	store.Store
	down atomic.Bool
	full atomic.Bool                     // it takes no new record
	how  func(ctx context.Context) error // how it is down; nil: at once
	lose atomic.Int32                    // the deletion of this number fails, counted from one

	cut     atomic.Bool  // deletions fail after the allowed ones
	allowed atomic.Int32 // deletions that work before

	mu   sync.Mutex
	puts []store.Record
}

func (o *outage) written() []store.Record {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.puts
}

func (o *outage) fault(ctx context.Context, op string) error {
	if o.how == nil {
		return store.NewFault(ctx, op, io.ErrUnexpectedEOF)
	}
	return store.NewFault(ctx, op, o.how(ctx))
}

func (o *outage) Get(ctx context.Context, key string) (store.Record, error) {
	if o.down.Load() {
		return store.Record{}, o.fault(ctx, "get")
	}
	return o.Store.Get(ctx, key)
}

func (o *outage) Put(ctx context.Context, r store.Record) (uint64, error) {
	if o.down.Load() || o.full.Load() && r.Version == 0 {
		return 0, o.fault(ctx, "put")
	}
	o.mu.Lock()
	o.puts = append(o.puts, r)
	o.mu.Unlock()
	return o.Store.Put(ctx, r)
}

func (o *outage) Delete(ctx context.Context, key string) error {
	if o.lose.Add(-1) == 0 || o.down.Load() || o.cut.Load() && o.allowed.Add(-1) < 0 {
		return o.fault(ctx, "delete")
	}
	return o.Store.Delete(ctx, key)
}

func (o *outage) List(ctx context.Context, owner string) ([]store.Record, error) {
	if o.down.Load() {
		return nil, o.fault(ctx, "list")
	}
	return o.Store.List(ctx, owner)
}
