package web_test

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
// written.
type outage struct {
	store.Store
	down atomic.Bool
	full atomic.Bool                     // it takes no new record
	how  func(ctx context.Context) error // how it is down; nil: at once
	lose atomic.Int32                    // the deletion of this number fails, counted from one

	unwritable string        // the beginning of keys that Put fails for; empty: none
	takes      time.Duration // how long each operation takes

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

// fails returns the error of an operation if the store is down, or fails in
// part.
func (o *outage) fails(ctx context.Context, op string, inPart bool) error {
	if o.takes > 0 {
		<-time.After(o.takes)
	}
	switch {
	case !inPart && !o.down.Load():
		return nil
	case o.how == nil:
		return store.NewFault(ctx, op, io.ErrUnexpectedEOF)
	}
	return store.NewFault(ctx, op, o.how(ctx))
}

func (o *outage) Get(ctx context.Context, key string) (store.Record, error) {
	if err := o.fails(ctx, "get", false); err != nil {
		return store.Record{}, err
	}
	return o.Store.Get(ctx, key)
}

func (o *outage) Put(ctx context.Context, r store.Record) (uint64, error) {
	unwritable := o.unwritable != "" && strings.HasPrefix(r.Key, o.unwritable)
	if err := o.fails(ctx, "put", unwritable || o.full.Load() && r.Version == 0); err != nil {
		return 0, err
	}
	o.mu.Lock()
	o.puts = append(o.puts, r)
	o.mu.Unlock()
	return o.Store.Put(ctx, r)
}

func (o *outage) Delete(ctx context.Context, key string) error {
	if err := o.fails(ctx, "delete", o.lose.Add(-1) == 0 || o.cut.Load() && o.allowed.Add(-1) < 0); err != nil {
		return err
	}
	return o.Store.Delete(ctx, key)
}

func (o *outage) List(ctx context.Context, owner string) ([]store.Record, error) {
	if err := o.fails(ctx, "list", false); err != nil {
		return nil, err
	}
	return o.Store.List(ctx, owner)
}
