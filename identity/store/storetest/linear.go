package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"b2trader.identity.auth/identity/store"
)

// A write is one call of Put or Delete and what it answered. The checker tries to order the writes so
// that each answer is right and no write comes before one that had ended when it began.
type write struct {
	began, ended int64 // moments of a counter that only grows
	delete       bool
	names        uint64 // the version that a Put named
	gave         uint64 // the version that it was given
	refused      error  // or why it was refused
}

// A history is what happened to one key.
type history []write

// record lets four writers loose on key, two per handle.
func (f fixture) record(key string, random *rand.Rand) (history, error) {
	const writers, each = 4, 6
	var (
		running errgroup.Group
		clock   atomic.Int64
		mu      sync.Mutex
		all     history
		known   atomic.Uint64 // some version that a writer was given
	)
	for i := range writers {
		s := []store.Store{f.a, f.b}[i%2]
		plan := make([]int, each)
		for j := range plan {
			plan[j] = random.IntN(10)
		}
		running.Go(func() error {
			for _, action := range plan {
				w, err := f.write(s, key, action, &clock, &known)
				if err != nil {
					return err
				}
				mu.Lock()
				all = append(all, w)
				mu.Unlock()
			}
			return nil
		})
	}
	return all, running.Wait()
}

// write makes one call: in one of ten cases Delete, in three a Put that creates, else one that names a version.
func (f fixture) write(s store.Store, key string, action int, clock *atomic.Int64, known *atomic.Uint64) (write, error) {
	r := store.Record{Key: key, Owner: "owner", Expires: in(time.Hour)}
	if action > 3 {
		r.Version = known.Load()
	}
	w := write{delete: action == 0, names: r.Version, began: clock.Add(1)}
	var err error
	if w.delete {
		err = s.Delete(f.ctx, key)
	} else {
		w.gave, err = s.Put(f.ctx, r)
	}
	w.ended = clock.Add(1)
	for _, refusal := range []error{store.ErrConflict, store.ErrDeleted, store.ErrNotFound} {
		if errors.Is(err, refusal) {
			w.refused, err = refusal, nil
		}
	}
	if w.gave != 0 {
		known.Store(w.gave)
	}
	return w, err
}

// state is that of the model: a record of a version, a tombstone, or nothing.
type state struct {
	version uint64
	deleted bool
}

// apply returns the state after w, and whether w answered what it should in s.
func (s state) apply(w write) (state, bool) {
	switch {
	case w.delete && s.version == 0 && !s.deleted:
		return s, true
	case w.delete:
		return state{deleted: true}, true
	case s.deleted:
		return s, errors.Is(w.refused, store.ErrDeleted)
	case s.version == 0 && w.names != 0:
		return s, errors.Is(w.refused, store.ErrNotFound)
	case s.version != w.names:
		return s, errors.Is(w.refused, store.ErrConflict)
	default:
		return state{version: w.gave}, w.refused == nil && w.gave > s.version
	}
}

// linearizable reports whether some order explains h (Wing and Gong 1993), trying no set of writes in one state twice.
func linearizable(h history) bool {
	type point struct {
		done  uint64
		state state
	}
	visited := map[point]bool{}
	var explain func(point) bool
	explain = func(p point) bool {
		if p.done == 1<<len(h)-1 {
			return true
		}
		if visited[p] {
			return false
		}
		visited[p] = true
		for i, w := range h {
			if p.done&(1<<i) != 0 || h.mustWait(w, p.done) {
				continue
			}
			if next, right := p.state.apply(w); right && explain(point{p.done | 1<<i, next}) {
				return true
			}
		}
		return false
	}
	return explain(point{})
}

// mustWait reports whether a write that is not done had ended when w began.
func (h history) mustWait(w write, done uint64) bool {
	for i, other := range h {
		if done&(1<<i) == 0 && other.ended < w.began {
			return true
		}
	}
	return false
}

// String shows one write per line.
func (h history) String() string {
	var b strings.Builder
	for _, w := range h {
		if w.delete {
			fmt.Fprintf(&b, "%3d-%3d delete\n", w.began, w.ended)
			continue
		}
		fmt.Fprintf(&b, "%3d-%3d put %d: gave %d, %v\n", w.began, w.ended, w.names, w.gave, w.refused)
	}
	return b.String()
}
