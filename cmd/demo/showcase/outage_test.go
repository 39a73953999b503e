package showcase_test

import (
	"context"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"b2trader.identity.auth/identity/store"
)

// outage is a store that can be down, or fail in part, and remembers what was
// written. The prefixes are of keys; empty: none.
type outage struct {
	store.Store
	down atomic.Bool

	unreadable, unwritable string // records that Get and Put fail for
	slow                   string // records that Get takes a second for

	mu   sync.Mutex
	puts []store.Record
}

func (o *outage) written() []store.Record {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.puts
}

// fails returns the error of an operation if the store is down, or fails for
// keys with the prefix.
func (o *outage) fails(ctx context.Context, op, key, prefix string) error {
	if o.down.Load() || prefix != "" && strings.HasPrefix(key, prefix) {
		return store.NewFault(ctx, op, io.ErrUnexpectedEOF)
	}
	return nil
}

func (o *outage) Get(ctx context.Context, key string) (store.Record, error) {
	if err := o.fails(ctx, "get", key, o.unreadable); err != nil {
		return store.Record{}, err
	}
	r, err := o.Store.Get(ctx, key)
	if o.slow != "" && strings.HasPrefix(key, o.slow) {
		<-time.After(time.Second)
	}
	return r, err
}

func (o *outage) Put(ctx context.Context, r store.Record) (uint64, error) {
	if err := o.fails(ctx, "put", r.Key, o.unwritable); err != nil {
		return 0, err
	}
	o.mu.Lock()
	o.puts = append(o.puts, r)
	o.mu.Unlock()
	return o.Store.Put(ctx, r)
}

func (o *outage) Delete(ctx context.Context, key string) error {
	if err := o.fails(ctx, "delete", key, ""); err != nil {
		return err
	}
	return o.Store.Delete(ctx, key)
}

func (o *outage) List(ctx context.Context, owner string) ([]store.Record, error) {
	if err := o.fails(ctx, "list", "", ""); err != nil {
		return nil, err
	}
	return o.Store.List(ctx, owner)
}
