package session

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"sync/atomic"
	"time"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/records"
)

// prefix begins the IDs of sessions in the store.
const prefix = "session:"

// record is a session as it is stored.
type record = records.Record[stored]

// scsStore implements scs.CtxStore. It keeps sessions under hashes of their
// tokens and of their owners, sealed, so that a dump of the store opens no
// session.
type scsStore struct {
	kind   *records.Kind[stored]
	groups *groups

	endedHere endedHere

	noTouchUntil atomic.Int64 // Unix time in nanoseconds, see touch

	logger *slog.Logger
	now    func() time.Time
	idle   time.Duration
}

// current is the session of one request.
type current struct {
	address netip.Addr // the client's
	record  *record    // as it was last read or written; nil: none
	body    []byte     // the request's own values as they are stored

	renews   bool       // it gets a new ID
	replaced records.ID // the old one, until that session has ended; empty: none

	place      records.ID // that the cookie leads to; empty: there is no cookie
	over       *record    // what is there, if that has ended by this process's clock or list
	unreadable error      // why what is there cannot be read
}

type currentKey struct{}

func withCurrent(ctx context.Context, address netip.Addr) context.Context {
	return context.WithValue(ctx, currentKey{}, &current{address: address})
}

// Loaded reports whether the session of the request was loaded. It was not if
// the answer comes from before [Manager.Handler].
func Loaded(ctx context.Context) bool {
	_, ok := ctx.Value(currentKey{}).(*current)
	return ok
}

// currentOf returns the current of the request, or an empty one.
func currentOf(ctx context.Context) *current {
	if at, ok := ctx.Value(currentKey{}).(*current); ok {
		return at
	}
	return &current{}
}

// FindCtx implements scs.CtxStore. A session that cannot be unsealed is not
// deleted: another process may have its key. [Manager.Readable] tells it from
// none.
func (s *scsStore) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	at := currentOf(ctx)
	at.place = s.kind.ID(token)
	r, err := s.kind.Get(ctx, at.place)
	switch {
	case records.Absent(err):
		return nil, false, nil
	case errors.Is(err, records.ErrUnreadable):
		s.logger.ErrorContext(ctx, "session not read", "error", err)
		at.unreadable = err
		return nil, false, nil
	case err != nil:
		return nil, false, err
	case s.over(r), s.endedHere.has(r.Value.keys.owner, r.Value.keys.identityID):
		at.over = r
		return nil, false, nil
	}
	if err := s.groups.check(ctx, r.Value.keys.group); err != nil {
		if errors.Is(err, ErrNone) {
			at.over, err = r, nil
		}
		return nil, false, err
	}
	at.record, at.body = r, r.Value.body
	return r.Value.body, true, nil
}

// CommitCtx implements scs.CtxStore: it creates or changes a session, which may
// last until deadline. It returns ErrEnded for a session that has ended. A
// change is not use of the session; touch is. It goes on if the browser goes
// away.
func (s *scsStore) CommitCtx(ctx context.Context, token string, body []byte, deadline time.Time) error {
	ctx = context.WithoutCancel(ctx)
	at, id := currentOf(ctx), s.kind.ID(token)
	var saved *record
	var err error
	switch {
	case at.record == nil || at.record.ID != id:
		saved, err = s.create(ctx, id, body, deadline)
	case bytes.Equal(at.body, body):
		saved = at.record
	default:
		saved, err = s.change(ctx, at, body)
	}
	if err != nil {
		return err
	}
	at.record, at.body = saved, body
	if at.replaced == "" {
		return nil
	}
	if err := s.kind.Delete(ctx, at.replaced); err != nil {
		return err
	}
	at.replaced = ""
	return nil
}

func (s *scsStore) create(ctx context.Context, id records.ID, body []byte, deadline time.Time) (*record, error) {
	now := s.now()
	if !now.Before(deadline) {
		return nil, ErrEnded
	}
	value, err := stored{seen: now, address: currentOf(ctx).address}.with(body)
	if err != nil {
		return nil, err
	}
	saved, err := s.kind.Put(ctx, record{ID: id, Owner: s.kind.Owner(value.keys.owner), Expires: deadline, Value: value})
	if errors.Is(err, store.ErrDeleted) || errors.Is(err, store.ErrConflict) { // the token was another session's
		return nil, ErrEnded
	}
	return saved, err
}

// change applies the request's changes to the newest version of its session.
func (s *scsStore) change(ctx context.Context, at *current, body []byte) (*record, error) {
	saved, err := s.kind.Update(ctx, at.record.ID, func(newest *record) (record, error) {
		if newest == nil || s.over(newest) {
			return record{}, ErrEnded
		}
		merged := body
		if !bytes.Equal(newest.Value.body, at.body) {
			var err error
			if merged, err = mergeValues(at.body, body, newest.Value.body); err != nil {
				return record{}, err
			}
		}
		next := *newest
		var err error
		next.Value, err = newest.Value.with(merged)
		return next, err
	})
	if records.Absent(err) {
		return nil, ErrEnded
	}
	return saved, err
}

// DeleteCtx implements scs.CtxStore: it ends a session, that of an old ID later,
// with CommitCtx. It goes on if the browser goes away.
func (s *scsStore) DeleteCtx(ctx context.Context, token string) error {
	if token == "" { // scs asks for it if there is no session
		return nil
	}
	if at := currentOf(ctx); at.renews {
		at.replaced = s.kind.ID(token)
		return nil
	}
	return s.kind.Delete(context.WithoutCancel(ctx), s.kind.ID(token))
}

// touch writes that a session is used, unless that was written less than
// touchEvery ago. It returns the session as it is then. If another request
// writes at the same time, that one counts. After an error, which a store that
// is full returns for every write, no session is touched for touchRetry.
func (s *scsStore) touch(ctx context.Context, r *record, address netip.Addr) *record {
	now := s.now()
	if now.Sub(r.Value.seen) < touchEvery(s.idle) || s.over(r) || time.Now().UnixNano() < s.noTouchUntil.Load() {
		return r
	}
	next := *r
	next.Value.seen, next.Value.address = now, address
	saved, err := s.kind.Put(context.WithoutCancel(ctx), next)
	switch {
	case err == nil:
		return saved
	case records.Absent(err), errors.Is(err, store.ErrConflict):
		return r
	}
	s.noTouchUntil.Store(time.Now().Add(touchRetry).UnixNano())
	s.logger.WarnContext(ctx, "session touch failed", "error", err)
	return r
}

const touchRetry = time.Second

// touchEvery returns how often use of a session is written: once a minute, or
// ten times in a short idle time. A session may end early by that much.
func touchEvery(idle time.Duration) time.Duration { return min(time.Minute, idle/10) }

func (s *scsStore) idleEnd(r *record) time.Time {
	if end := r.Value.seen.Add(s.idle); end.Before(r.Expires) {
		return end
	}
	return r.Expires
}

// over reports whether a session has reached its end.
func (s *scsStore) over(r *record) bool { return !s.now().Before(s.idleEnd(r)) }

// scs calls the methods that take a context. The others complete scs.Store.

// Find implements scs.Store.
func (s *scsStore) Find(token string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), token)
}

// Commit implements scs.Store.
func (s *scsStore) Commit(token string, b []byte, expiry time.Time) error {
	return s.CommitCtx(context.Background(), token, b, expiry)
}

// Delete implements scs.Store.
func (s *scsStore) Delete(token string) error { return s.DeleteCtx(context.Background(), token) }
