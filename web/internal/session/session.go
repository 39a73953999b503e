// Package session keeps the sessions of the site: which user is signed in with
// which browser, and the values that other packages keep for that session.
//
// It puts scs on top of a [records.Cache]. [Manager.Handler] loads the session
// of a request and saves it before the first byte of the answer; [Manager.Find]
// finds the session of an API call by its cookie alone. [Index] finds sessions
// by their user, and by the session at the IdentityServer.
//
// It differs from the stores that come with scs. A session that ended leaves a
// tombstone until its latest end, so a slow request that began earlier cannot
// bring it back. A save is a compare-and-swap that keeps what another request
// changed meanwhile. A request that only reads writes nothing, and use of the
// session is written once in a while.
package session

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"

	"b2trader.identity.auth/identity/store/records"
)

var (
	// ErrNone says that there is no session with a signed-in user.
	ErrNone = errors.New("session: none")

	// ErrEnded says that a session ended before a request could save it.
	ErrEnded = errors.New("session: the session has ended")
)

// StoreError says that the store failed. It says nothing about the session.
type StoreError struct{ Err error }

// Error implements error.
func (e *StoreError) Error() string { return "session: " + e.Err.Error() }

// Unwrap returns the store's error.
func (e *StoreError) Unwrap() error { return e.Err }

// storeError wraps err in a StoreError, unless it is nil or an error of this
// package.
func storeError(err error) error {
	if err == nil || errors.Is(err, ErrNone) || errors.Is(err, ErrEnded) {
		return err
	}
	return &StoreError{err}
}

// User is the user of a session. The tokens are in the vault.
type User struct {
	Owner         string    `json:"o"` // issuer + " " + subject, as in the vault (OIDC Core, section 5.7)
	Issuer        string    `json:"i"`
	Subject       string    `json:"s"`
	IdentityID    string    `json:"x,omitempty"` // the ID of the session at the IdentityServer, its claim sid
	Client        string    `json:"c"`
	VaultKey      string    `json:"k"`
	Group         string    `json:"g,omitempty"` // see groups; SignIn sets it
	Nickname      string    `json:"n,omitempty"`
	Email         string    `json:"e,omitempty"`
	AccountID     string    `json:"a,omitempty"`
	Administrator bool      `json:"r,omitempty"`
	SignedIn      time.Time `json:"t"`
	UserAgent     string    `json:"d,omitempty"` // of the browser that signed in
}

// Config is what [New] needs. All fields are required.
type Config struct {
	Records *records.Cache
	Secure  bool          // browsers reach the site by https
	Idle    time.Duration // ends a session that is not used
	Latest  time.Duration // ends a session in any case
	Logger  *slog.Logger
}

// Manager keeps the sessions of the site.
type Manager struct {
	scs    *scs.SessionManager
	store  *scsStore
	latest time.Duration
	logger *slog.Logger
	cache  *records.Cache
}

// Now returns the time by which sessions are reckoned: that of the store, so
// that the processes that share it agree.
func (m *Manager) Now() time.Time { return m.cache.Now() }

// New returns a Manager.
func New(config Config) *Manager {
	s := &scsStore{
		kind:   records.NewKind(config.Records, prefix, records.Codec[stored]{Encode: stored.encode, Decode: decodeStored}),
		groups: &groups{records.NewKind(config.Records, groupPrefix, records.Codec[struct{}]{}), config.Latest, config.Records.Now},
		logger: config.Logger, now: config.Records.Now, idle: config.Idle,
	}
	// Not scs.New, whose default store leaves a goroutine behind.
	m := &scs.SessionManager{
		Store:    s,
		Codec:    valuesCodec{},
		Lifetime: config.Latest,
		// IdleTimeout is 0: the store keeps the idle time, while scs would save
		// the whole session at every request.
		Cookie: scs.SessionCookie{
			Name:     "b2trader-session",
			Path:     "/",
			HttpOnly: true,
			SameSite: http.SameSiteStrictMode,
			Persist:  false, // no Max-Age to prolong: only the server knows when a session ends
		},
	}
	if config.Secure {
		// RFC 6265bis section 4.1.3.2: "__Host-" is accepted only with Secure,
		// Path=/ and no Domain.
		m.Cookie.Name = "__Host-b2trader-session"
		m.Cookie.Secure = true
	}
	return &Manager{scs: m, store: s, latest: config.Latest, logger: config.Logger, cache: config.Records}
}

// User returns the signed-in user of the request.
func (m *Manager) User(ctx context.Context) (User, bool) {
	u, ok := userValue.Get(ctx, m)
	return u, ok && u.VaultKey != ""
}

// SetUser replaces the user of the session, whose tokens stay the same.
func (m *Manager) SetUser(ctx context.Context, u User) { userValue.Put(ctx, m, u) }

// SignIn makes u the user of the session, with a new session ID and a new latest
// end, and stores the session at once, with the values that begin puts into it.
// It removes the values of the user before. The browser's other sign-ins under
// way stay valid.
//
// Errors: *[StoreError], and those of scs.
func (m *Manager) SignIn(ctx context.Context, u User, begin func()) (err error) {
	if u.Group, err = m.store.groups.join(context.WithoutCancel(ctx), u.Owner); err != nil {
		return storeError(fmt.Errorf("join the group of the user's sessions: %w", err))
	}
	if err := m.renewID(ctx); err != nil {
		return err
	}
	m.scs.SetDeadline(ctx, u.SignedIn.Add(m.latest))
	for _, name := range m.scs.Keys(ctx) {
		if name != browserValue.name {
			m.scs.Remove(ctx, name)
		}
	}
	userValue.Put(ctx, m, u)
	begin()
	if _, err := m.save(ctx); err != nil {
		return storeError(fmt.Errorf("store the session: %w", err))
	}
	return m.endUnreadable(ctx)
}

// endUnreadable ends the session that the browser had before a sign-in, if this
// process cannot read it.
func (m *Manager) endUnreadable(ctx context.Context) error {
	at := currentOf(ctx)
	if at.unreadable == nil {
		return nil
	}
	at.unreadable = nil
	return storeError(m.store.kind.Delete(context.WithoutCancel(ctx), at.place))
}

// StepUp gives the session a new ID, for the time until a second factor is
// verified. It does not change the session's end. If a user is signed in, it
// stores the session at once, so that ID returns the new one.
//
// Errors: *[StoreError], and those of scs.
func (m *Manager) StepUp(ctx context.Context) error {
	end := m.scs.Deadline(ctx)
	if m.scs.Token(ctx) == "" {
		end = m.Now().Add(m.latest)
	}
	if err := m.renewID(ctx); err != nil {
		return err
	}
	m.scs.SetDeadline(ctx, end)
	if _, signedIn := m.User(ctx); !signedIn {
		return nil
	}
	_, err := m.save(ctx)
	return storeError(err)
}

// renewID gives the session a new ID. The session under the old one ends when
// the new one is stored: a store that is full takes deletions only.
func (m *Manager) renewID(ctx context.Context) error {
	at := currentOf(ctx)
	at.renews = true
	defer func() { at.renews = false }()
	if err := m.scs.RenewToken(ctx); err != nil {
		return storeError(fmt.Errorf("renew the session ID: %w", err))
	}
	return nil
}

// Readable returns nil unless the request has a session that this process
// cannot read, such as one that is sealed with a key that it lacks.
//
// Errors: *[StoreError].
func (m *Manager) Readable(ctx context.Context) error { return storeError(currentOf(ctx).unreadable) }

// End ends the session that the request's cookie leads to, even if this process
// cannot read it or takes it for ended. It returns the user, if that is known.
//
// Errors: *[StoreError].
func (m *Manager) End(ctx context.Context) (User, error) {
	at := currentOf(ctx)
	u, ok := m.User(ctx)
	if !ok && at.over != nil {
		u = at.over.Value.user()
	}
	if at.over != nil {
		if err := m.EndAt(ctx, idOf(at.over)); err != nil {
			return User{}, err
		}
	}
	if err := m.endUnreadable(ctx); err != nil {
		return User{}, err
	}
	return u, storeError(m.scs.Destroy(ctx))
}

// Touch writes that the session is used, unless that was written a moment ago. A
// failure is logged: the session lives on.
func (m *Manager) Touch(ctx context.Context) {
	if at := currentOf(ctx); at.record != nil {
		at.record = m.store.touch(ctx, at.record, at.address)
	}
}

// Ends returns when the session ends if it is not used, and when it ends in any
// case.
func (m *Manager) Ends(ctx context.Context) (idle, latest time.Time) {
	if r := currentOf(ctx).record; r != nil {
		return m.store.idleEnd(r), r.Expires
	}
	return time.Time{}, time.Time{}
}

// Ended reports whether the browser has the cookie of a session that is no more.
func (m *Manager) Ended(ctx context.Context) bool {
	c := currentOf(ctx)
	return c.place != "" && c.record == nil && c.unreadable == nil
}

// ID returns the session's ID, or "" if there is no session. It is a hash of the
// cookie and not a secret.
func (m *Manager) ID(ctx context.Context) string {
	if r := currentOf(ctx).record; r != nil {
		return idOf(r)
	}
	return ""
}

func idOf(r *record) string { return strings.TrimPrefix(string(r.ID), prefix) }

// Browser returns the secret that binds a browser's sign-ins under way to its
// session, or "" if there is none.
func (m *Manager) Browser(ctx context.Context) string {
	secret, _ := browserValue.Get(ctx, m)
	return secret
}

// NewBrowser returns the secret of Browser, and makes one if there is none.
func (m *Manager) NewBrowser(ctx context.Context) string {
	if secret := m.Browser(ctx); secret != "" {
		return secret
	}
	secret := rand.Text()
	browserValue.Put(ctx, m, secret)
	return secret
}
