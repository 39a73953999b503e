package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"b2trader.identity.auth/identity/store"
)

var raceCases = []testCase{
	{"one winner for each version", "the lease of a renewal is a swap: two winners send one refresh token twice, and the session is lost",
		func(t *testing.T, f fixture) {
			const workers, each = 8, 10
			f.create(t, "key", "owner", "0")
			var running errgroup.Group
			for i := range workers {
				s := []store.Store{f.a, f.b}[i%2]
				running.Go(func() error { return f.count(s, each) })
			}
			if err := running.Wait(); err != nil {
				t.Fatal(err)
			}
			Until(t, func() bool {
				r, err := f.a.Get(f.ctx, "key")
				return err == nil && string(r.Value) == strconv.Itoa(workers*each)
			})
		}},

	{"one creator", "of many callers that create one key, exactly one succeeds and the others get an error",
		func(t *testing.T, f fixture) {
			var running errgroup.Group
			var winners atomic.Int64
			for i := range 16 {
				s := []store.Store{f.a, f.b}[i%2]
				running.Go(func() error {
					_, err := s.Put(f.ctx, store.Record{Key: "key", Owner: strconv.Itoa(i), Value: fmt.Append(nil, i), Expires: in(time.Hour)})
					if err == nil {
						winners.Add(1)
					} else if !errors.Is(err, store.ErrConflict) {
						return err
					}
					return nil
				})
			}
			if err := running.Wait(); err != nil {
				t.Fatal(err)
			}
			if winners.Load() != 1 {
				t.Fatalf("%d callers created the record, want 1", winners.Load())
			}
			r := f.get(t, f.a, "key")
			for i := range 16 {
				if owner := strconv.Itoa(i); owner == r.Owner {
					f.listed(t, owner, "key")
				} else {
					f.listed(t, owner)
				}
			}
		}},

	{"delete among swaps", "a sign-out in the middle of renewals deletes the session, in any order",
		func(t *testing.T, f fixture) {
			for round := range 20 {
				key := fmt.Sprint("key ", round)
				f.create(t, key, "owner", "0")
				var running errgroup.Group
				for i := range 4 {
					s := []store.Store{f.a, f.b}[i%2]
					running.Go(func() error { return f.hammer(s, key) })
				}
				running.Go(func() error { return f.a.Delete(f.ctx, key) })
				if err := running.Wait(); err != nil {
					t.Fatal(err)
				}
				f.missing(t, key, store.ErrDeleted)
			}
			f.listed(t, "owner")
		}},

	{"writes are linearizable", "the answers to concurrent writers fit one order of events: every protocol above relies on it",
		func(t *testing.T, f fixture) {
			seed := uint64(time.Now().UnixNano())
			for round := range 30 {
				key := fmt.Sprint("key ", round)
				history, err := f.record(key, rand.New(rand.NewPCG(seed, uint64(round))))
				if err != nil {
					t.Fatal(err)
				}
				if !linearizable(history) {
					t.Fatalf("seed %d, round %d: no order of the writes explains these answers:\n%s", seed, round, history)
				}
			}
		}},
}

// inParallel calls f for 0 to n-1, eight calls at a time.
func inParallel(t *testing.T, n int, f func(i int) error) {
	t.Helper()
	var running errgroup.Group
	running.SetLimit(8)
	for i := range n {
		running.Go(func() error { return f(i) })
	}
	if err := running.Wait(); err != nil {
		t.Fatal(err)
	}
}

// count adds 1 to the number in a record, n times.
func (f fixture) count(s store.Store, n int) error {
	for n > 0 {
		r, err := s.Get(f.ctx, "key")
		if err != nil {
			return err
		}
		number, err := strconv.Atoi(string(r.Value))
		if err != nil {
			return err
		}
		r.Value = strconv.AppendInt(nil, int64(number)+1, 10)
		switch _, err = s.Put(f.ctx, r); {
		case err == nil:
			n--
		case !errors.Is(err, store.ErrConflict):
			return err
		}
	}
	return nil
}

// hammer swaps and creates key until the store answers that it was deleted.
func (f fixture) hammer(s store.Store, key string) error {
	r := store.Record{Key: key, Owner: "owner", Expires: in(time.Hour)}
	for {
		version, err := s.Put(f.ctx, r)
		switch {
		case errors.Is(err, store.ErrDeleted):
			return nil
		case err == nil:
			r.Version = version
		case errors.Is(err, store.ErrConflict):
			if got, err := s.Get(f.ctx, key); err == nil {
				r.Version = got.Version
			}
		default:
			return err
		}
	}
}
