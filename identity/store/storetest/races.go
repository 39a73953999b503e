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
	{"one winner for each version", "the lease of a refresh is a swap: two winners are two refresh requests, and a dead session",
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
			until(t, func() bool {
				r, err := f.a.Get(f.ctx, "key")
				return err == nil && string(r.Value) == strconv.Itoa(workers*each)
			})
		}},

	{"one creator", "of many that create one key, exactly one must succeed and the others must know",
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
				t.Fatalf("%d created the record", winners.Load())
			}
			r, err := f.a.Get(f.ctx, "key")
			if err != nil {
				t.Fatal(err)
			}
			for i := range 16 {
				if owner := strconv.Itoa(i); owner == r.Owner {
					f.listed(t, owner, "key")
				} else {
					f.listed(t, owner)
				}
			}
		}},

	{"delete among swaps", "a sign-out in the middle of refreshes must end the session, whoever comes first",
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
				f.gone(t, key, store.ErrDeleted)
			}
			f.listed(t, "owner")
		}},

	{"writes are linearizable", "what concurrent writers are told must fit one order of events: every protocol above relies on it",
		func(t *testing.T, f fixture) {
			seed := uint64(time.Now().UnixNano())
			for round := range 30 {
				key := fmt.Sprint("key ", round)
				history, err := f.record(key, rand.New(rand.NewPCG(seed, uint64(round))))
				if err != nil {
					t.Fatal(err)
				}
				if !linearizable(history) {
					t.Fatalf("seed %d, round %d: no order explains\n%s", seed, round, history)
				}
			}
		}},
}

// count adds n to the number in a record, one by one.
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

// hammer swaps and creates key until it is told that it was deleted.
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
