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
	lose atomic.Int32 // the deletion of this number fails, counted from one

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

func (o *outage) Get(ctx context.Context, key string) (store.Record, error) {
	if o.down.Load() {
		return store.Record{}, store.NewFault(ctx, "get", io.ErrUnexpectedEOF)
	}
	return o.Store.Get(ctx, key)
}

func (o *outage) Put(ctx context.Context, r store.Record) (uint64, error) {
	if o.down.Load() {
		return 0, store.NewFault(ctx, "put", io.ErrUnexpectedEOF)
	}
	o.mu.Lock()
	o.puts = append(o.puts, r)
	o.mu.Unlock()
	return o.Store.Put(ctx, r)
}

func (o *outage) Delete(ctx context.Context, key string) error {
	if o.lose.Add(-1) == 0 || o.down.Load() || o.cut.Load() && o.allowed.Add(-1) < 0 {
		return store.NewFault(ctx, "delete", io.ErrUnexpectedEOF)
	}
	return o.Store.Delete(ctx, key)
}

func (o *outage) List(ctx context.Context, owner string) ([]store.Record, error) {
	if o.down.Load() {
		return nil, store.NewFault(ctx, "list", io.ErrUnexpectedEOF)
	}
	return o.Store.List(ctx, owner)
}
