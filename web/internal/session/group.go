package session

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/records"
)

// groupPrefix begins the IDs of groups in the store.
const groupPrefix = "group:"

// groups keeps the groups of sessions. A group is the sessions that a user
// began since the last time when all of them ended. A session has ended if its
// group is deleted, so one write ends them all, in every process at once, and
// a process that stops midway leaves none. The record has no value, so it can be
// read without its key.
type groups struct {
	kind *records.Kind[struct{}]
	life time.Duration // of the longest session
	now  func() time.Time
}

type group = records.Record[struct{}]

// join returns the ID of the owner's group for a session that begins now. The
// group outlives the session.
func (g *groups) join(ctx context.Context, owner string) (string, error) {
	list, err := g.kind.List(ctx, g.kind.Owners(owner)...)
	if err != nil {
		return "", err
	}
	for _, found := range list {
		if found.Expires.After(g.now().Add(g.life)) {
			return string(found.ID), nil
		}
		longer := *found
		longer.Expires = g.expiry()
		_, err := g.kind.Put(ctx, longer)
		switch {
		case err == nil, errors.Is(err, store.ErrConflict): // another process prolonged it
			return string(found.ID), nil
		case !records.Absent(err):
			return "", err
		}
	}
	return g.create(ctx, owner)
}

func (g *groups) create(ctx context.Context, owner string) (string, error) {
	id := records.ID(groupPrefix + rand.Text())
	_, err := g.kind.Put(ctx, group{ID: id, Owner: g.kind.Owner(owner), Expires: g.expiry()})
	return string(id), err
}

// expiry returns when a group expires that is written now. It is late enough
// that most sign-ins need not prolong the group.
func (g *groups) expiry() time.Time { return g.now().Add(2*g.life + time.Hour) }

// check returns ErrNone if the group with an ID is deleted. Sessions of
// version 0.1.0 have no group.
func (g *groups) check(ctx context.Context, id string) error {
	if id == "" {
		return nil
	}
	_, err := g.kind.Get(ctx, records.ID(id))
	if records.Absent(err) {
		return ErrNone
	}
	return err
}

// of returns the IDs of an owner's groups.
func (g *groups) of(ctx context.Context, owner string) (map[string]bool, error) {
	list, err := g.kind.IDs(ctx, g.kind.Owners(owner)...)
	ids := make(map[string]bool, len(list))
	for _, id := range list {
		ids[string(id)] = true
	}
	return ids, err
}

// listen returns a channel that is closed when a record is deleted, by any
// process, and a function that ends the wait for it.
func listen[T any](ctx context.Context, kind *records.Kind[T], id records.ID) (deleted <-chan struct{}, stop func(), err error) {
	for {
		ref := kind.Ref(id)
		deleted, stop := ref.Listen() // from now on the record stays in memory
		_, err := ref.Get(ctx)
		if err == nil && !ref.Dropped() {
			return deleted, stop, nil
		}
		stop()
		if records.Absent(err) {
			return nil, nil, ErrNone
		}
		if err != nil {
			return nil, nil, storeError(err)
		}
	}
}

// forget drops the groups from memory that are not in use.
func (g *groups) forget(used map[string]bool) {
	for held := range g.kind.Held() {
		if !used[string(held.ID)] {
			g.kind.Forget(held.ID)
		}
	}
}

// EndAll ends all sessions of a user, in every process, but those of the group
// except.
//
// Errors: *[StoreError]; some or all sessions may be alive then.
func (m *Manager) EndAll(ctx context.Context, owner, except string) error {
	ctx = context.WithoutCancel(ctx)
	ids, err := m.store.groups.of(ctx, owner)
	for id := range ids {
		if id != except {
			err = errors.Join(err, m.store.groups.kind.Delete(ctx, records.ID(id)))
		}
	}
	return storeError(err)
}

// LeaveGroup gives the session of the request a group of its own, so that it
// survives the end of the user's other sessions. It returns the group.
//
// Errors: [ErrEnded], *[StoreError].
func (m *Manager) LeaveGroup(ctx context.Context) (string, error) {
	u, ok := m.User(ctx)
	if !ok {
		return "", ErrEnded
	}
	id, err := m.store.groups.create(ctx, u.Owner)
	if err != nil {
		return "", storeError(err)
	}
	u.Group = id
	userValue.Put(ctx, m, u)
	if _, err := m.save(ctx); err != nil {
		return "", storeError(err)
	}
	if saved := currentOf(ctx).record; saved == nil || saved.Value.keys.group != id {
		return "", storeError(errors.New("another request changed the session at the same time"))
	}
	return id, nil
}

// Ends are the ways in which a session ends, each a channel that is closed
// then. Stop ends the wait for them.
type Ends struct {
	Session <-chan struct{} // it ends alone, in whatever process, or its ID changes
	Group   <-chan struct{} // all sessions of the user end, in whatever process
	Here    <-chan struct{} // EndHere ends it
	Stop    func()
}

// WatchEnds returns the Ends of the session with an ID, an owner and a group.
//
// Errors: [ErrNone], *[StoreError].
func (m *Manager) WatchEnds(ctx context.Context, id string, u User) (e Ends, err error) {
	session, stopSession, err := listen(ctx, m.store.kind, recordID(id))
	if err != nil {
		return e, err
	}
	group, stopGroup := (<-chan struct{})(nil), func() {}
	if u.Group != "" {
		if group, stopGroup, err = listen(ctx, m.store.groups.kind, records.ID(u.Group)); err != nil {
			stopSession()
			return e, err
		}
	}
	here, stopHere := m.endedHere(u.Owner, u.IdentityID)
	return Ends{session, group, here, func() { stopSession(); stopGroup(); stopHere() }}, nil
}
