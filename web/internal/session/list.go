package session

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"b2trader.identity.auth/identity/store/records"
)

// Session is one session, as other requests than its own see it.
type Session struct {
	ID      string // a hash, not a secret
	User    User
	Seen    time.Time  // the last use that was written
	Address netip.Addr // of the client then; it may be invalid
	Until   time.Time  // when the session ends unless it is used
}

func (m *Manager) view(r *record) Session {
	return Session{ID: idOf(r), User: r.Value.user(), Seen: r.Value.seen, Address: r.Value.address, Until: m.store.idleEnd(r)}
}

func recordID(id string) records.ID { return records.ID(prefix + id) }

// Found is what an API call needs of its session.
type Found struct {
	ID         string // a hash, not a secret
	Owner      string
	IdentityID string
	VaultKey   string
	Group      string
	Until      time.Time // when the session ends unless it is used
}

// Find returns the session of a request by its cookie alone. It decodes neither
// the user nor the values for pages. If use is true, the request is use of the
// session, from the client's address. A store that does not take the use, as one
// that is full, ends nothing.
//
// Errors: [ErrNone], *[StoreError].
func (m *Manager) Find(r *http.Request, use bool, address netip.Addr) (Found, error) {
	token := m.token(r)
	if token == "" {
		return Found{}, ErrNone
	}
	found, err := m.find(r.Context(), m.store.kind.ID(token))
	if err != nil {
		return Found{}, err
	}
	if use {
		found = m.store.touch(r.Context(), found, address)
	}
	return m.found(found), nil
}

// At is Find for the session with an ID. It is no use of the session.
func (m *Manager) At(ctx context.Context, id string) (Found, error) {
	found, err := m.find(ctx, recordID(id))
	if err != nil {
		return Found{}, err
	}
	return m.found(found), nil
}

func (m *Manager) found(r *record) Found {
	of := r.Value.keys
	return Found{
		ID: idOf(r), Owner: of.owner, IdentityID: of.identityID, VaultKey: of.vaultKey, Group: of.group, Until: m.store.idleEnd(r),
	}
}

func (m *Manager) find(ctx context.Context, id records.ID) (*record, error) {
	r, err := m.store.kind.Get(ctx, id)
	switch {
	case records.Absent(err):
		return nil, ErrNone
	case err != nil:
		return nil, storeError(err)
	case m.store.over(r), r.Value.keys.vaultKey == "", m.store.endedHere.has(r.Value.keys.owner, r.Value.keys.identityID):
		return nil, ErrNone
	}
	if err := m.store.groups.check(ctx, r.Value.keys.group); err != nil {
		return nil, storeError(err)
	}
	return r, nil
}

// Of returns the live sessions of a user, the latest sign-in first. It costs
// what the user has, not what the store has.
//
// Errors: *[StoreError].
func (m *Manager) Of(ctx context.Context, owner string) ([]Session, error) {
	list, err := m.Stored(ctx, owner)
	if err != nil {
		return nil, err
	}
	alive, err := m.store.groups.of(ctx, owner)
	if err != nil {
		return nil, storeError(err)
	}
	return slices.DeleteFunc(list, func(s Session) bool {
		return !m.Now().Before(s.Until) || s.User.Group != "" && !alive[s.User.Group]
	}), nil
}

// StoredAt returns the session with an ID as the store has it, even if it has
// ended and is not deleted yet. Of one that cannot be read it returns the ID.
//
// Errors: [ErrNone], *[StoreError].
func (m *Manager) StoredAt(ctx context.Context, id string) (Session, error) {
	r, err := m.store.kind.Get(ctx, recordID(id))
	switch {
	case records.Absent(err):
		return Session{}, ErrNone
	case errors.Is(err, records.ErrUnreadable):
		return Session{ID: id}, nil
	case err != nil:
		return Session{}, storeError(err)
	}
	return m.view(r), nil
}

// Stored returns the sessions of a user that the store has, the latest sign-in
// first. Those that have ended and are not deleted yet are among them.
//
// Errors: *[StoreError].
func (m *Manager) Stored(ctx context.Context, owner string) ([]Session, error) {
	list, err := m.store.kind.List(ctx, m.store.kind.Owners(owner)...)
	if err != nil {
		return nil, storeError(err)
	}
	sessions := make([]Session, len(list))
	for i, r := range list {
		sessions[i] = m.view(r)
	}
	slices.SortFunc(sessions, func(a, b Session) int {
		return cmp.Or(b.User.SignedIn.Compare(a.User.SignedIn), cmp.Compare(a.ID, b.ID))
	})
	return sessions, nil
}

// EndAt ends the session with an ID. It goes on if the browser goes away. It is
// no error if there is no such session.
//
// Errors: *[StoreError].
func (m *Manager) EndAt(ctx context.Context, id string) error {
	return storeError(m.store.kind.Delete(context.WithoutCancel(ctx), recordID(id)))
}

// Sweep ends the sessions in the memory of this process that have reached their
// end, and returns their users. It ends none while the store does not tell its
// time: this process's clock may be ahead.
func (m *Manager) Sweep(ctx context.Context) []User {
	if err := m.cache.MeasureClock(ctx); err != nil {
		m.logger.WarnContext(ctx, "session not ended", "error", err)
		return nil
	}
	var users []User
	used := make(map[string]bool)
	defer func() { m.store.groups.forget(used) }()
	for r, known := range m.store.kind.Held() {
		if !m.store.over(r) {
			used[r.Value.keys.group] = true
			continue
		}
		if !known && m.Now().Before(r.Expires) { // another process may have written its use
			if newer, err := m.store.kind.Get(ctx, r.ID); err != nil || !m.store.over(newer) {
				continue
			}
		}
		if err := m.store.kind.Delete(ctx, r.ID); err != nil {
			m.logger.WarnContext(ctx, "session not ended", "error", err)
			continue
		}
		if r.Value.keys.vaultKey != "" {
			users = append(users, r.Value.user())
		}
	}
	return users
}
