package web

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"
)

// The keys of the session's values. Nothing outside of this file knows them.
const (
	keyUser    = "user"
	keyFlow    = "flow"
	keyBrowser = "browser"
	keyNotice  = "notice"
)

// user is who is signed in. The tokens are not here but in the vault.
type user struct {
	Owner         string // issuer + " " + subject, as the vault has it (OIDC Core 5.7)
	Subject       string
	Client        string
	VaultKey      string
	Nickname      string
	Email         string
	AccountID     string
	Administrator bool
	Claims        []claim
	SignedIn      time.Time
}

// claim is one verified claim of the ID token.
type claim struct{ Name, Value string }

// sessions is what the pages know of scs.
type sessions struct {
	manager  *scs.SessionManager
	store    *sessionStore
	absolute time.Duration
	now      func() time.Time
}

func newSessions(cfg Config) *sessions {
	store := newSessionStore(cfg.Now, cfg.IdleTimeout, holdingOf)
	// Not scs.New, whose own store would leave a goroutine behind.
	m := &scs.SessionManager{
		Store:    store,
		Codec:    jsonCodec{},
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

// User returns who is signed in.
func (s *sessions) User(ctx context.Context) (user, bool) {
	var u user
	return u, s.get(ctx, keyUser, &u) && u.VaultKey != ""
}

// SignIn makes u the session's user, under a new session id with a new
// absolute end. The browser's other sign-ins under way stay valid.
func (s *sessions) SignIn(ctx context.Context, u user, flow []exchange, notice string) error {
	if err := s.manager.RenewToken(ctx); err != nil {
		return fmt.Errorf("renew the session id: %w", err)
	}
	s.manager.SetDeadline(ctx, s.now().Add(s.absolute))
	s.put(ctx, keyUser, u)
	s.put(ctx, keyFlow, flow)
	s.put(ctx, keyNotice, notice)
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

// Touch starts the idle time anew.
func (s *sessions) Touch(ctx context.Context) {
	s.store.Touch(s.manager.Token(ctx))
}

// Ends says when the session ends unused, and when it ends anyway.
func (s *sessions) Ends(ctx context.Context) (idle, latest time.Time) {
	return s.store.Ends(s.manager.Token(ctx))
}

// Flow returns the exchanges of the session's sign-in.
func (s *sessions) Flow(ctx context.Context) []exchange {
	var flow []exchange
	s.get(ctx, keyFlow, &flow)
	return flow
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
	token := s.manager.Token(ctx)
	if token == "" {
		return ""
	}
	return sessionID(token)[:16]
}

func (s *sessions) put(ctx context.Context, key string, v any) {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("web: session value %s: %v", key, err)) // only our own plain types come here
	}
	s.manager.Put(ctx, key, json.RawMessage(raw))
}

func (s *sessions) get(ctx context.Context, key string, v any) bool {
	raw, ok := s.manager.Get(ctx, key).(json.RawMessage)
	return ok && json.Unmarshal(raw, v) == nil
}

// storedValue is how a session lies in the store.
type storedValue struct {
	Deadline time.Time                  `json:"deadline"`
	Values   map[string]json.RawMessage `json:"values"`
}

// jsonCodec implements scs.Codec. Values stay encoded until somebody asks for
// them, so a request pays only for what it reads.
type jsonCodec struct{}

// Encode implements scs.Codec.
func (jsonCodec) Encode(deadline time.Time, values map[string]any) ([]byte, error) {
	v := storedValue{Deadline: deadline, Values: make(map[string]json.RawMessage, len(values))}
	for key, value := range values {
		raw, ok := value.(json.RawMessage)
		if !ok {
			return nil, fmt.Errorf("web: session value %s is a %T", key, value)
		}
		v.Values[key] = raw
	}
	return json.Marshal(v)
}

// Decode implements scs.Codec.
func (jsonCodec) Decode(b []byte) (time.Time, map[string]any, error) {
	var v storedValue
	if err := json.Unmarshal(b, &v); err != nil {
		return time.Time{}, nil, fmt.Errorf("web: decode a session: %w", err)
	}
	values := make(map[string]any, len(v.Values))
	for key, raw := range v.Values {
		values[key] = raw
	}
	return v.Deadline, values, nil
}

// holdingOf reads what a stored session holds.
func holdingOf(value []byte) holding {
	var v storedValue
	var u user
	if json.Unmarshal(value, &v) != nil || v.Values[keyUser] == nil || json.Unmarshal(v.Values[keyUser], &u) != nil {
		return holding{}
	}
	return holding{Owner: u.Owner, VaultKey: u.VaultKey, Client: u.Client}
}
