package web

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"

	"b2trader.identity.auth/web/internal/request"
)

// The keys of the session's values. Nothing outside of the session's files knows them.
const (
	keyUser    = "u"
	keyClaims  = "c"
	keyBrowser = "b"
	keyNotice  = "n"

	hostPrefix = "host." // before the names of the host application's values
)

// user is who is signed in. The tokens are not here but in the vault.
type user struct {
	Owner         string    `json:"o"` // issuer + " " + subject, as the vault has it (OIDC Core 5.7)
	Issuer        string    `json:"i"`
	Subject       string    `json:"s"`
	IdentityID    string    `json:"x,omitempty"` // of the session at the IdentityServer, its claim sid
	Client        string    `json:"c"`
	VaultKey      string    `json:"k"`
	Nickname      string    `json:"n,omitempty"`
	Email         string    `json:"e,omitempty"`
	AccountID     string    `json:"a,omitempty"`
	Administrator bool      `json:"r,omitempty"`
	SignedIn      time.Time `json:"t"`
	UserAgent     string    `json:"d,omitempty"` // of the browser that signed in
}

// holding is what the session of u holds outside of the session.
func (u user) holding() holding {
	return holding{Owner: u.Owner, VaultKey: u.VaultKey, Client: u.Client}
}

// holding names an entry of the vault.
type holding struct {
	Owner    string
	VaultKey string
	Client   string
}

// sessions is what the pages know of scs.
type sessions struct {
	manager  *scs.SessionManager
	store    *sessionStore
	absolute time.Duration
	now      func() time.Time
}

func newSessions(cfg Config, store *sessionStore) *sessions {
	// Not scs.New, whose own store would leave a goroutine behind.
	m := &scs.SessionManager{
		Store:    store,
		Codec:    valuesCodec{},
		Lifetime: cfg.AbsoluteTimeout,
		// IdleTimeout is 0: the store keeps the idle time, where scs would save the whole session on every request.
		Cookie: scs.SessionCookie{
			Name:     "b2trader-session",
			Path:     "/",
			HttpOnly: true,
			SameSite: http.SameSiteStrictMode,
			Persist:  false, // no Max-Age to renew: the server alone knows when a session ends
		},
	}
	if cfg.secure() {
		// RFC 6265bis section 4.1.3.2: "__Host-" is accepted only with Secure, Path=/ and no Domain.
		m.Cookie.Name = "__Host-b2trader-session"
		m.Cookie.Secure = true
	}
	return &sessions{manager: m, store: store, absolute: cfg.AbsoluteTimeout, now: cfg.Now}
}

// Load returns a context for a request that comes with token, which may be empty. Its error is the store's.
func (s *sessions) Load(ctx context.Context, token string) (context.Context, error) {
	return s.manager.Load(withCurrent(ctx), token)
}

// Save stores what the request changed, and returns the token that the browser should have from then on; it is
// empty if it should have none. A request that changed nothing writes nothing.
func (s *sessions) Save(ctx context.Context) (token string, err error) {
	if s.manager.Status(ctx) != scs.Modified {
		return s.manager.Token(ctx), nil
	}
	token, _, err = s.manager.Commit(ctx)
	return token, err
}

// Destroyed reports whether the request ended its session and began no other.
func (s *sessions) Destroyed(ctx context.Context) bool { return s.manager.Status(ctx) == scs.Destroyed }

// cookie is the one that holds token; an empty one removes it.
func (s *sessions) cookie(token string) *http.Cookie {
	like := s.manager.Cookie
	//nolint:gosec // Secure wherever the site is reached by https
	c := &http.Cookie{Name: like.Name, Value: token, Path: like.Path, Secure: like.Secure, HttpOnly: like.HttpOnly, SameSite: like.SameSite}
	if token == "" {
		c.MaxAge, c.Expires = -1, time.Unix(1, 0)
	}
	return c
}

// User returns who is signed in.
func (s *sessions) User(ctx context.Context) (user, bool) {
	if c := currentOf(ctx).copy; c != nil && s.manager.Status(ctx) == scs.Unmodified {
		return c.Value.user, c.Value.user.VaultKey != ""
	}
	var u user
	return u, s.get(ctx, keyUser, &u) && u.VaultKey != ""
}

// SignIn makes u the session's user, under a new session id with a new
// absolute end, and stores it at once, after observe was called. The browser's
// other sign-ins under way stay valid.
func (s *sessions) SignIn(ctx context.Context, u user, claims []claim, notice string, observe func()) error {
	if err := s.manager.RenewToken(ctx); err != nil {
		return fmt.Errorf("renew the session id: %w", err)
	}
	s.manager.SetDeadline(ctx, u.SignedIn.Add(s.absolute))
	s.forgetHostValues(ctx)
	s.put(ctx, keyUser, u)
	s.put(ctx, keyClaims, claims)
	s.put(ctx, keyNotice, notice)
	observe()
	if _, err := s.Save(ctx); err != nil {
		return fmt.Errorf("store the session: %w", err)
	}
	return nil
}

// StepUp gives the session a new id before a second factor is asked for.
func (s *sessions) StepUp(ctx context.Context) error {
	end := s.manager.Deadline(ctx) // a step-up does not prolong the session
	if s.manager.Token(ctx) == "" {
		end = s.now().Add(s.absolute)
	}
	if err := s.manager.RenewToken(ctx); err != nil {
		return fmt.Errorf("renew the session id: %w", err)
	}
	s.manager.SetDeadline(ctx, end)
	return nil
}

// End destroys the session.
func (s *sessions) End(ctx context.Context) error {
	return s.manager.Destroy(ctx)
}

// Touch notes that the session is used.
func (s *sessions) Touch(ctx context.Context) error { return s.store.Touch(ctx) }

// Ends says when the session ends unused, and when it ends anyway.
func (s *sessions) Ends(ctx context.Context) (idle, latest time.Time) {
	if c := currentOf(ctx).copy; c != nil {
		return s.store.idleEnd(c), c.Expires
	}
	return time.Time{}, time.Time{}
}

// Place is where the session is stored; it is empty if there is no session.
func (s *sessions) Place(ctx context.Context) string {
	if c := currentOf(ctx).copy; c != nil {
		return c.Key
	}
	return ""
}

// Claims returns the claims of the sign-in's ID token.
func (s *sessions) Claims(ctx context.Context) []claim {
	var claims []claim
	s.get(ctx, keyClaims, &claims)
	return claims
}

// Notice returns the sentence to show once, and forgets it.
func (s *sessions) Notice(ctx context.Context) string {
	var notice string
	if s.get(ctx, keyNotice, &notice) {
		s.manager.Remove(ctx, keyNotice)
	}
	return notice
}

// PutNotice keeps a sentence for the next page.
func (s *sessions) PutNotice(ctx context.Context, notice string) {
	s.put(ctx, keyNotice, notice)
}

// Browser returns the secret that binds a browser's sign-ins under way to its
// session; it is empty if there is none.
func (s *sessions) Browser(ctx context.Context) string {
	var browser string
	s.get(ctx, keyBrowser, &browser)
	return browser
}

// NewBrowser is Browser, which makes one if there is none.
func (s *sessions) NewBrowser(ctx context.Context) string {
	if browser := s.Browser(ctx); browser != "" {
		return browser
	}
	browser := rand.Text()
	s.put(ctx, keyBrowser, browser)
	return browser
}

// ID is the session's name in the log; it is empty if there is no session.
func (s *sessions) ID(ctx context.Context) string {
	return request.Clip(strings.TrimPrefix(s.Place(ctx), sessionPrefix), 16)
}

func (s *sessions) put(ctx context.Context, key string, v any) {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("web: session value %s: %v", key, err)) // only our own plain types come here
	}
	s.manager.Put(ctx, key, json.RawMessage(raw))
}

// forgetHostValues removes what the host application keeps for the user before.
func (s *sessions) forgetHostValues(ctx context.Context) {
	for _, key := range s.manager.Keys(ctx) {
		if strings.HasPrefix(key, hostPrefix) {
			s.manager.Remove(ctx, key)
		}
	}
}

func (s *sessions) remove(ctx context.Context, key string) { s.manager.Remove(ctx, key) }

func (s *sessions) get(ctx context.Context, key string, v any) bool {
	raw, ok := s.manager.Get(ctx, key).(json.RawMessage)
	return ok && json.Unmarshal(raw, v) == nil
}
