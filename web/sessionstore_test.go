package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"
)

// clock is time that moves only when told.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func (c *clock) Pass(d time.Duration) { c.now = c.now.Add(d) }

func newClock() *clock { return &clock{now: time.Unix(1_800_000_000, 0)} }

// valueOf is a stored session of owner.
func valueOf(t *testing.T, owner, key string) []byte {
	t.Helper()
	raw, err := json.Marshal(user{Owner: owner, VaultKey: key, Client: "spa"})
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonCodec{}.Encode(time.Time{}, map[string]any{keyUser: json.RawMessage(raw)})
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func mustCommit(t *testing.T, s *sessionStore, token string, value []byte, expiry time.Time) {
	t.Helper()
	if err := s.Commit(token, value, expiry); err != nil {
		t.Fatal(err)
	}
}

func alive(t *testing.T, s *sessionStore, token string) bool {
	t.Helper()
	_, ok, err := s.Find(token)
	if err != nil {
		t.Fatal(err)
	}
	return ok
}

// req 78: whatever ended a session, a request that began before cannot save it again.
func TestSessionStoreNeverResurrects(t *testing.T) {
	for name, end := range map[string]func(*sessionStore, *clock){
		"signed out":            func(s *sessionStore, _ *clock) { _ = s.Delete("token") },
		"signed out everywhere": func(s *sessionStore, _ *clock) { s.EndOwner("owner") },
		"idle":                  func(_ *sessionStore, c *clock) { c.Pass(15 * time.Minute) },
		"idle and swept":        func(s *sessionStore, c *clock) { c.Pass(15 * time.Minute); s.Sweep() },
		"past its end":          func(_ *sessionStore, c *clock) { c.Pass(10 * time.Hour) },
		"past its end, swept":   func(s *sessionStore, c *clock) { c.Pass(10 * time.Hour); s.Sweep() },
	} {
		t.Run(name, func(t *testing.T) {
			c := newClock()
			s := newSessionStore(c.Now, 15*time.Minute, holdingOf)
			value, expiry := valueOf(t, "owner", "key"), c.now.Add(10*time.Hour)
			mustCommit(t, s, "token", value, expiry)
			if !alive(t, s, "token") {
				t.Fatal("not stored")
			}
			end(s, c)
			if err := s.Commit("token", value, expiry); !errors.Is(err, errSessionEnded) {
				t.Errorf("saving again gives %v", err)
			}
			s.Touch("token")
			if alive(t, s, "token") {
				t.Error("the session is back")
			}
		})
	}
}

func TestSessionStoreTimes(t *testing.T) {
	c := newClock()
	s := newSessionStore(c.Now, 15*time.Minute, holdingOf)
	mustCommit(t, s, "token", valueOf(t, "owner", "key"), c.now.Add(time.Hour))
	c.Pass(10 * time.Minute)
	mustCommit(t, s, "token", valueOf(t, "owner", "key"), c.now.Add(50*time.Minute)) // a change is not use
	if idle, _ := s.Ends("token"); idle != c.now.Add(5*time.Minute) {
		t.Errorf("idle end %v after a change", idle)
	}
	s.Touch("token")
	if idle, latest := s.Ends("token"); idle != c.now.Add(15*time.Minute) || latest != c.now.Add(50*time.Minute) {
		t.Errorf("ends %v and %v", idle, latest)
	}
	for range 4 { // req 75: use does not move the absolute end
		c.Pass(10 * time.Minute)
		s.Touch("token")
	}
	if idle, latest := s.Ends("token"); idle != latest {
		t.Errorf("idle end %v is after the latest %v", idle, latest)
	}
	c.Pass(10 * time.Minute)
	if alive(t, s, "token") {
		t.Error("alive after its latest end")
	}
	if held := s.Sweep(); len(held) != 1 || held[0].VaultKey != "key" {
		t.Errorf("swept %v", held)
	}
	if len(s.items) != 0 || len(s.owned) != 0 {
		t.Errorf("%d items and %d owners are left", len(s.items), len(s.owned))
	}
}

// req 73: who reads the store cannot use a session.
func TestSessionStoreHashesTokens(t *testing.T) {
	c := newClock()
	s := newSessionStore(c.Now, time.Minute, holdingOf)
	mustCommit(t, s, "the-token", valueOf(t, "owner", "key"), c.now.Add(time.Hour))
	for id, item := range s.items {
		if strings.Contains(id+string(item.value), "the-token") {
			t.Error("the token is in the store")
		}
		if alive(t, s, id) {
			t.Error("the stored id opens the session")
		}
	}
}

func TestSessionStoreEndsOneOwner(t *testing.T) {
	c := newClock()
	s := newSessionStore(c.Now, time.Minute, holdingOf)
	for token, owner := range map[string]string{"a": "one", "b": "one", "c": "two", "d": ""} {
		mustCommit(t, s, token, valueOf(t, owner, "key "+token), c.now.Add(time.Hour))
	}
	if held := s.EndOwner("one"); len(held) != 2 {
		t.Errorf("ended %v", held)
	}
	for token, want := range map[string]bool{"a": false, "b": false, "c": true, "d": true} {
		if alive(t, s, token) != want {
			t.Errorf("session %s alive: %v", token, !want)
		}
	}
}

// S3 and S8 of scs, with its own middleware: a slow request that changes its
// session while it is signed out.
func TestSlowRequestAfterSignOut(t *testing.T) {
	c := newClock()
	var refused error
	s := &sessions{
		store: newSessionStore(c.Now, time.Hour, holdingOf), now: c.Now, absolute: time.Hour,
	}
	s.manager = &scs.SessionManager{
		Store: s.store, Codec: jsonCodec{}, Lifetime: time.Hour, Cookie: scs.SessionCookie{Name: "s"},
		ErrorFunc: func(_ http.ResponseWriter, _ *http.Request, err error) { refused = err },
	}
	do := func(cookie string, h func(context.Context)) string {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		if cookie != "" {
			r.AddCookie(&http.Cookie{Name: "s", Value: cookie})
		}
		w := httptest.NewRecorder()
		s.manager.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { h(r.Context()) })).ServeHTTP(w, r)
		for _, set := range w.Result().Cookies() {
			cookie = set.Value
		}
		return cookie
	}
	signIn := func(ctx context.Context) {
		if err := s.SignIn(ctx, user{Owner: "owner", VaultKey: "key"}, nil, ""); err != nil {
			t.Fatal(err)
		}
	}
	cookie := do("", signIn)
	do(cookie, func(slow context.Context) {
		do(cookie, func(ctx context.Context) {
			if err := s.End(ctx); err != nil {
				t.Fatal(err)
			}
		})
		s.PutNotice(slow, "still here")
	})
	if !errors.Is(refused, errSessionEnded) {
		t.Errorf("the slow request's save gives %v", refused)
	}
	do(cookie, func(ctx context.Context) {
		if u, ok := s.User(ctx); ok {
			t.Errorf("%s is signed in again", u.Owner)
		}
	})
}
