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

// A write is a call of Put or Delete with its answer. The checker looks for an
// order of the writes in which each answer is right, and in which no write
// comes before another that had ended when it began.
type write struct {
	began, ended int64 // readings of a counter
	delete       bool
	names        uint64 // the version in the record of a Put
	gave         uint64 // the version that a Put returned
	refused      error  // or the reason for the refusal
}

// A history is the writes of one key.
type history []write

// record runs four writers of key, two per handle, and returns their writes.
func (f fixture) record(key string, random *rand.Rand) (history, error) {
	const writers, each = 4, 6
	var (
		running errgroup.Group
		clock   atomic.Int64
		mu      sync.Mutex
		all     history
		known   atomic.Uint64 // a version that a Put returned
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

// write makes one call. Of ten actions, one is Delete, three are a Put that
// creates, and six are a Put that names a version.
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

// state is the state of the model: a record with a version, a tombstone, or
// nothing.
type state struct {
	version uint64
	deleted bool
}

// apply returns the state after w, and whether the answer of w is right in s.
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

// linearizable reports whether some order of the writes explains h (Wing and
// Gong 1993). It tries each set of writes and each state once.
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

// mustWait reports whether a write outside done had ended when w began.
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
