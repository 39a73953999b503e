package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"log/slog"
	"time"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/mirror"
	"b2trader.identity.auth/identity/vault"
	"b2trader.identity.auth/web/internal/request"
)

// errSessionEnded is what saving a session that has ended meanwhile gives.
var errSessionEnded = errors.New("web: the session has ended")

// sessionPrefix keeps sessions apart from others in the same store.
const sessionPrefix = "session:"

// sessionStore keeps the sessions of scs in a store, sealed, under hashes of
// their tokens and of their owners, so that its content alone tells nothing
// and opens no session.
//
// It differs from the stores that come with scs. A session that ended leaves a
// tombstone until its latest end, so a slow request that began earlier cannot
// save it back to life. A save is a compare-and-swap: what another request has
// changed meanwhile stays. The idle time is noted once in a while, and a
// request that only reads writes nothing. What did not change is read from memory.
type sessionStore struct {
	mirror *mirror.Mirror[session]
	logger *slog.Logger
	now    func() time.Time
	idle   time.Duration
}

// storedSession is a session and where it is.
type storedSession = mirror.Copy[session]

func newSessionStore(cfg Config, sealer *vault.Sealer) *sessionStore {
	return &sessionStore{
		logger: cfg.Logger, now: cfg.Now, idle: cfg.IdleTimeout,
		mirror: mirror.New(mirror.Config[session]{
			Store: cfg.Store,
			Encode: func(place string, s session) ([]byte, error) {
				return sealer.Seal(place, s.encode()), nil
			},
			Decode: func(place string, sealed []byte) (session, error) {
				plain, err := sealer.Open(place, sealed)
				if err != nil {
					return session{}, errors.Join(errUnreadable, err)
				}
				return decodeSession(plain)
			},
			Logger: cfg.Logger,
		}),
	}
}

// errUnreadable says that a session is there but was sealed with a key that is not configured.
var errUnreadable = errors.New("web: a stored session cannot be opened")

// hashed is the name of something in the store that must not be found by who reads the store.
func hashed(name string) string {
	sum := sha256.Sum256([]byte(name))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// placeOf is where the session of token is.
func placeOf(token string) string {
	sum := sha256.Sum256([]byte(token))
	var b [64]byte
	return string(base64.RawURLEncoding.AppendEncode(append(b[:0], sessionPrefix...), sum[:]))
}

func ownerOf(owner string) string {
	if owner == "" {
		return ""
	}
	return sessionPrefix + hashed(owner)
}

// current is the session of one request.
type current struct {
	copy *storedSession // as it was last read or written; nil: there is none
	body []byte         // what the request's own values are known to be stored as
}

type currentKey struct{}

func withCurrent(ctx context.Context) context.Context {
	return context.WithValue(ctx, currentKey{}, &current{})
}

// hasSession reports whether the request's session was looked for. What answers before that, or after a panic, knows
// nothing of a session.
func hasSession(ctx context.Context) bool {
	_, ok := ctx.Value(currentKey{}).(*current)
	return ok
}

// currentOf returns the request's; a context without one gets one that nobody else has.
func currentOf(ctx context.Context) *current {
	if at, ok := ctx.Value(currentKey{}).(*current); ok {
		return at
	}
	return &current{}
}

// FindCtx implements scs.CtxStore. A session that cannot be opened for want of
// its key is none, and is left alone: another process may have the key.
func (s *sessionStore) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	c, err := s.mirror.Get(ctx, placeOf(token))
	switch {
	case mirror.Gone(err):
		return nil, false, nil
	case errors.Is(err, errUnreadable), errors.Is(err, errCodec):
		s.logger.ErrorContext(ctx, "session not read", "error", err)
		return nil, false, nil
	case err != nil:
		return nil, false, err
	case s.over(c):
		return nil, false, nil
	}
	at := currentOf(ctx)
	at.copy, at.body = c, c.Value.body
	return c.Value.body, true, nil
}

// CommitCtx implements scs.CtxStore: it creates or changes a session that may
// last until deadline. It refuses to bring back one that has ended. Changing a
// session does not make it less idle; Touch does. It goes on if the browser
// goes away.
func (s *sessionStore) CommitCtx(ctx context.Context, token string, body []byte, deadline time.Time) error {
	ctx = context.WithoutCancel(ctx)
	at, place := currentOf(ctx), placeOf(token)
	var saved *storedSession
	var err error
	switch {
	case at.copy == nil || at.copy.Key != place:
		saved, err = s.create(ctx, place, body, deadline)
	case bytes.Equal(at.body, body):
		return nil
	default:
		saved, err = s.change(ctx, at, body)
	}
	if err != nil {
		return err
	}
	at.copy, at.body = saved, body
	return nil
}

func (s *sessionStore) create(ctx context.Context, place string, body []byte, deadline time.Time) (*storedSession, error) {
	now := s.now()
	if !now.Before(deadline) {
		return nil, errSessionEnded
	}
	value, err := session{seen: now, address: request.Of(ctx).Address}.with(body)
	if err != nil {
		return nil, err
	}
	saved, err := s.mirror.Put(ctx, storedSession{Key: place, Owner: ownerOf(value.user.Owner), Expires: deadline, Value: value})
	if errors.Is(err, store.ErrDeleted) || errors.Is(err, store.ErrConflict) { // the token was another session's
		return nil, errSessionEnded
	}
	return saved, err
}

// swapTries bounds how often a change is tried again because another request was quicker.
const swapTries = 8

// change saves over exactly the version that was read. If that is no longer the
// newest, it applies this request's own changes to the newest.
func (s *sessionStore) change(ctx context.Context, at *current, body []byte) (*storedSession, error) {
	on := at.copy
	for try := 1; ; try++ {
		if s.over(on) {
			return nil, errSessionEnded
		}
		merged := body
		if !bytes.Equal(on.Value.body, at.body) {
			var err error
			if merged, err = mergeValues(at.body, body, on.Value.body); err != nil {
				return nil, err
			}
		}
		next := *on
		var err error
		if next.Value, err = on.Value.with(merged); err != nil {
			return nil, err
		}
		saved, err := s.mirror.Put(ctx, next)
		switch {
		case err == nil:
			return saved, nil
		case mirror.Gone(err):
			return nil, errSessionEnded
		case !errors.Is(err, store.ErrConflict) || try == swapTries:
			return nil, err
		}
		time.Sleep(time.Duration(try) * time.Millisecond) // a store may be told of the newest a moment later
		if on, err = s.mirror.Get(ctx, on.Key); mirror.Gone(err) {
			return nil, errSessionEnded
		} else if err != nil {
			return nil, err
		}
	}
}

// DeleteCtx implements scs.CtxStore: it ends a session and leaves a tombstone. It goes on if the browser goes away.
func (s *sessionStore) DeleteCtx(ctx context.Context, token string) error {
	if token == "" { // scs asks for it where there is no session
		return nil
	}
	return s.mirror.Delete(context.WithoutCancel(ctx), placeOf(token))
}

// Touch notes that the request's session is used, unless that was noted a moment ago: see touchEvery. If another
// request writes at the same time, its note is as good.
func (s *sessionStore) Touch(ctx context.Context) error {
	at := currentOf(ctx)
	if at.copy == nil {
		return nil
	}
	touched, err := s.touch(ctx, at.copy)
	at.copy = touched
	return err
}

// touch returns the session as it then is.
func (s *sessionStore) touch(ctx context.Context, c *storedSession) (*storedSession, error) {
	now := s.now()
	if s.over(c) || now.Sub(c.Value.seen) < touchEvery(s.idle) {
		return c, nil
	}
	next := *c
	next.Value.seen, next.Value.address = now, request.Of(ctx).Address
	saved, err := s.mirror.Put(context.WithoutCancel(ctx), next)
	switch {
	case err == nil:
		return saved, nil
	case mirror.Gone(err), errors.Is(err, store.ErrConflict):
		return c, nil
	}
	return c, err
}

// touchEvery is how often the use of a session is noted: once a minute, or ten
// times in a short idle time. By so much a session may end early.
func touchEvery(idle time.Duration) time.Duration { return min(time.Minute, idle/10) }

func (s *sessionStore) idleEnd(c *storedSession) time.Time {
	if end := c.Value.seen.Add(s.idle); end.Before(c.Expires) {
		return end
	}
	return c.Expires
}

// over reports whether the time of a session is over.
func (s *sessionStore) over(c *storedSession) bool { return !s.now().Before(s.idleEnd(c)) }

// Sweep ends the sessions that this process knows and whose time is over, and returns what they held.
func (s *sessionStore) Sweep(ctx context.Context) []holding {
	var held []holding
	for c, known := range s.mirror.Held() {
		if !s.over(c) {
			continue
		}
		if !known && s.now().Before(c.Expires) { // perhaps it was used in another process
			if newer, err := s.mirror.Get(ctx, c.Key); err != nil || !s.over(newer) {
				continue
			}
		}
		if err := s.mirror.Delete(ctx, c.Key); err != nil {
			s.logger.WarnContext(ctx, "session that timed out not ended", "error", err)
			continue
		}
		if c.Value.user.VaultKey != "" {
			held = append(held, c.Value.user.holding())
		}
	}
	return held
}

// Find, Commit and Delete implement scs.Store. scs calls those that take a context.

// Find implements scs.Store.
func (s *sessionStore) Find(token string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), token)
}

// Commit implements scs.Store.
func (s *sessionStore) Commit(token string, b []byte, expiry time.Time) error {
	return s.CommitCtx(context.Background(), token, b, expiry)
}

// Delete implements scs.Store.
func (s *sessionStore) Delete(token string) error {
	return s.DeleteCtx(context.Background(), token)
}
