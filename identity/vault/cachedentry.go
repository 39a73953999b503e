package vault

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/store/records"
)

// A cachedEntry is what this process knows of one entry.
type cachedEntry struct {
	key      string
	ref      *records.Ref[record]
	snapshot atomic.Pointer[snapshot] // nil: not read yet

	mu        sync.Mutex
	renewal   *renewal  // the one under way; nil: none
	failures  int       // renewals that failed in a row
	notBefore time.Time // no renewal before, after a failure: see retryAt
	inOutage  time.Time // when the last renewal failed in an outage of the server; zero: it did not
	cause     error     // of the last failure
	late      int       // tokens in a row that had expired when they arrived
}

// A snapshot is one version of an entry's record and what follows from it. It
// does not change, except that its budget counts.
type snapshot struct {
	stored     *records.Record[record] // without its ID token
	token      *oauth2.Token
	freshUntil time.Time // until then Token need not look further; zero if it must count uses, or the entry is over
	renewAt    time.Time // when a renewal is due
	expiry     time.Time // of the token; this and the times above are deadlines for passed
	budget     *budget   // of uses; nil: unlimited
}

// never is later than any clock.
var never = time.Unix(1<<40, 0)

// cached returns what is in memory under key, which is empty at first.
func (v *Vault) cached(key string) *cachedEntry {
	if e := v.entries.Get(key); e != nil && !e.ref.Dropped() {
		return e
	}
	ref := v.records.Ref(v.records.ID(key))
	return v.entries.Ensure(key,
		func(e *cachedEntry) bool { return e.ref.Dropped() },
		func() *cachedEntry { return &cachedEntry{key: key, ref: ref} })
}

// find returns the entry under key, from memory if that is current, else from
// the store.
//
// Errors: ErrNotFound, ErrEnded, *UnavailableError, or the context's.
func (v *Vault) find(ctx context.Context, key string) (*cachedEntry, *snapshot, error) {
	e := v.cached(key)
	s := e.snapshot.Load()
	if s == nil || !e.ref.Current(s.stored) {
		if _, err := e.ref.Get(ctx); err != nil {
			if e.ref.Dropped() {
				v.entries.Remove(key, e)
			}
			return nil, nil, storeError(ctx, err)
		}
		s = v.adopt(e)
	}
	if err := s.stored.Value.over(); err != nil {
		return nil, nil, err
	}
	return e, s, nil
}

// adopt makes the record in memory the entry's snapshot, and returns that. The
// record has been read or written.
func (v *Vault) adopt(e *cachedEntry) *snapshot {
	e.mu.Lock()
	defer e.mu.Unlock()
	stored, old := e.ref.Held(), e.snapshot.Load()
	if old != nil && old.stored == stored {
		return old
	}
	next := v.newSnapshot(stored)
	switch {
	case old == nil:
	case old.stored.Value.Generation == stored.Value.Generation: // the same token: it is no younger and no less used
		next.expiry, next.renewAt, next.budget = earlier(next.expiry, old.expiry), earlier(next.renewAt, old.renewAt), old.budget
	default: // the failures were another token's
		e.failures, e.notBefore, e.cause = 0, time.Time{}, nil
	}
	if next.budget == nil && stored.Value.over() == nil {
		next.freshUntil = next.renewAt
	}
	e.snapshot.Store(next)
	return next
}

// newSnapshot returns the snapshot of a record that was read or written just
// now.
func (v *Vault) newSnapshot(stored *records.Record[record]) *snapshot {
	r := &stored.Value
	s := &snapshot{stored: stored, token: r.token(v.storeAhead()), renewAt: never, expiry: never}
	if r.Scope != "" && r.RefreshEnd.IsZero() {
		s.token = s.token.WithExtra(v.extras.of(r.Scope))
	}
	s.budget = budgetOf(v.config.Refreshers[r.Client])
	if !r.Expiry.IsZero() {
		// The clock of the process that wrote the record may have been ahead:
		// from now on the token lives no longer than it lived when it was new.
		life, left := r.Expiry.Sub(r.Issued), r.Expiry.Sub(v.storeNow())
		now := v.config.Now()
		s.expiry = now.Add(min(left, life))
		s.renewAt = earlier(now.Add(left-life/3), s.expiry)
	}
	return s
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// use counts a use of the token and returns how much is left of it.
func (s *snapshot) use(now time.Time) supply {
	switch uses := s.budget.spend(); {
	case passed(s.expiry, now):
		return empty
	case passed(s.renewAt, now):
		return max(low, uses)
	default:
		return uses
	}
}

// sweep forgets entries that are not in use. An entry in use is renewed; so
// one whose token expired long ago is not in use, unless its renewals fail.
func (v *Vault) sweep() {
	for {
		select {
		case <-time.After(time.Minute):
		case <-v.ctx.Done():
			return
		}
		now := v.config.Now()
		for e := range v.entries.All() {
			if e.idle(now, v.storeNow()) {
				e.ref.Forget()
			}
			if e.ref.Dropped() {
				v.entries.Remove(e.key, e)
			}
		}
	}
}

func (e *cachedEntry) idle(now, storeNow time.Time) bool {
	const idle = 10 * time.Minute
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.snapshot.Load()
	return e.renewal == nil && passed(e.notBefore.Add(idle), now) &&
		(s == nil || passed(s.expiry.Add(idle), now) || storeNow.After(s.stored.Value.Until))
}
