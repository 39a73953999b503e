package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"b2trader.identity.auth/identity/store"
)

// callerCases have handles of their own, because one of them closes a store.
var callerCases = []testCase{
	{"caller's context", "a browser that goes away is no outage: the error is the error of its context",
		func(t *testing.T, f fixture) {
			r := f.create(t, "key", "owner", "value")
			cancelled, cancel := context.WithCancel(f.ctx)
			cancel()
			late, cancel := context.WithDeadline(f.ctx, time.Unix(0, 0))
			defer cancel()
			for ctx, want := range map[context.Context]error{cancelled: context.Canceled, late: context.DeadlineExceeded} {
				for op, err := range callEveryMethod(ctx, f.a, r) {
					if !errors.Is(err, want) || errors.Is(err, store.ErrUnavailable) {
						t.Errorf("%s = %v, want %v and not ErrUnavailable", op, err, want)
					}
				}
			}
			f.same(t, r)
		}},

	{"close", "a process that stops does not hang, and a call after Close is a fault, not a miss",
		func(t *testing.T, f fixture) {
			r := f.create(t, "key", "owner", "value")
			w := f.watch(t, f.a)
			w.Await(t, store.Synced)
			if !closeStore(t, f.a) {
				t.Skip("this store has no Close")
			}
			w.ended(t)
			for op, err := range callEveryMethod(f.ctx, f.a, r) {
				if !errors.Is(err, store.ErrUnavailable) || !errors.Is(err, store.ErrClosed) {
					t.Errorf("%s after Close = %v, want ErrClosed and ErrUnavailable", op, err)
				}
			}
			for range f.a.Watch(f.ctx) {
				t.Fatal("Watch after Close reports an event, want none")
			}
			closeStore(t, f.a)
		}},
}

func callEveryMethod(ctx context.Context, s store.Store, r store.Record) map[string]error {
	_, get := s.Get(ctx, r.Key)
	_, put := s.Put(ctx, r)
	del := s.Delete(ctx, r.Key)
	_, list := s.List(ctx, r.Owner)
	return map[string]error{"Get": get, "Put": put, "Delete": del, "List": list}
}
