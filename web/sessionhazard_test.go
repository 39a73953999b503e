package web

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/vault"
)

// The eight tests below are named for the ways in which scs, with its own
// middleware and stores, loses or brings back a session.

// bench is a server whose session middleware serves handlers of a test's own.
type bench struct {
	t      testing.TB
	server *Server
}

func newBench(t testing.TB, s store.Store, change ...func(*Config)) *bench {
	t.Helper()
	client, err := identity.New(identity.Config{URL: "http://127.0.0.1", ClientID: identity.ClientSPA})
	if err != nil {
		t.Fatal(err)
	}
	config := Config{
		Clients: []*identity.Client{client}, PublicURL: "http://127.0.0.1", Store: s, Keys: []vault.Key{vault.NewKey("test")},
		Logger: slog.New(slog.DiscardHandler),
	}
	for _, c := range change {
		c(&config)
	}
	server, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close(context.WithoutCancel(t.Context())) })
	return &bench{t, server}
}

// do serves one request that comes with cookie, and returns the answer and the cookie to come with next.
func (b *bench) do(cookie string, h http.HandlerFunc) (*httptest.ResponseRecorder, string) {
	b.t.Helper()
	return b.doCtx(b.t.Context(), cookie, h)
}

func (b *bench) doCtx(ctx context.Context, cookie string, h http.HandlerFunc) (*httptest.ResponseRecorder, string) {
	b.t.Helper()
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil)
	if cookie != "" {
		r.AddCookie(&http.Cookie{Name: "b2trader-session", Value: cookie})
	}
	w := httptest.NewRecorder()
	b.server.withSession(h).ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		cookie = c.Value
	}
	return w, cookie
}

// signIn begins a session of owner that holds the value 1.
func (b *bench) signIn(owner string) (cookie string) {
	b.t.Helper()
	_, cookie = b.do("", func(_ http.ResponseWriter, r *http.Request) {
		u := user{Owner: owner, VaultKey: "key of " + owner, Client: "spa", SignedIn: b.server.config.Now()}
		if err := b.server.sessions.SignIn(r.Context(), u, nil, "", func() {}); err != nil {
			b.t.Error(err)
		}
		b.put(r.Context(), 1)
	})
	if cookie == "" {
		b.t.Fatal("no cookie")
	}
	return cookie
}

func (b *bench) put(ctx context.Context, value int) { b.server.sessions.put(ctx, "value", value) }

// value is what the session of cookie holds; 0 if nobody is signed in.
func (b *bench) value(cookie string) (value int) {
	b.t.Helper()
	b.do(cookie, func(_ http.ResponseWriter, r *http.Request) {
		if _, ok := b.server.sessions.User(r.Context()); ok {
			b.server.sessions.get(r.Context(), "value", &value)
		}
	})
	return value
}

func (b *bench) wants(cookie string, want int) {
	b.t.Helper()
	if got := b.value(cookie); got != want {
		b.t.Errorf("the session holds %d, want %d (0: nobody is signed in)", got, want)
	}
}

func (b *bench) change(cookie string, value int) {
	b.t.Helper()
	b.do(cookie, func(_ http.ResponseWriter, r *http.Request) { b.put(r.Context(), value) })
}

func (b *bench) signOut(cookie string) {
	b.t.Helper()
	b.do(cookie, func(_ http.ResponseWriter, r *http.Request) {
		if err := b.server.sessions.End(r.Context()); err != nil {
			b.t.Error(err)
		}
	})
}

// req 79: a slow request that changes something else does not put back what a quicker one has changed, and loses nothing of its own.
func TestS1SlowRequestOverwritesNewerValue(t *testing.T) {
	b := newBench(t, memstore.New())
	cookie := b.signIn("owner")
	b.do(cookie, func(_ http.ResponseWriter, slow *http.Request) {
		b.change(cookie, 2)
		b.server.sessions.PutNotice(slow.Context(), "from the slow one")
	})
	b.wants(cookie, 2)
	b.do(cookie, func(_ http.ResponseWriter, r *http.Request) {
		if got := b.server.sessions.Notice(r.Context()); got != "from the slow one" {
			t.Errorf("the slow request's own change is %q", got)
		}
	})
	b.do(cookie, func(_ http.ResponseWriter, slow *http.Request) { // both change the same: the newer stays
		b.change(cookie, 3)
		b.put(slow.Context(), 9)
	})
	b.wants(cookie, 3)
}

// A slow request that only reads puts nothing back.
func TestS2SlowReaderWritesNothing(t *testing.T) {
	b := newBench(t, memstore.New())
	cookie := b.signIn("owner")
	b.do(cookie, func(w http.ResponseWriter, _ *http.Request) {
		b.change(cookie, 2)
		_, _ = io.WriteString(w, "read")
	})
	b.wants(cookie, 2)
}

// req 77, 78
func TestS3SignOutDuringSlowRequest(t *testing.T) {
	b := newBench(t, memstore.New())
	cookie := b.signIn("owner")
	w, after := b.do(cookie, func(w http.ResponseWriter, slow *http.Request) {
		b.signOut(cookie)
		b.put(slow.Context(), 2)
		_, _ = io.WriteString(w, "answered")
	})
	if w.Code != http.StatusOK || w.Body.String() != "answered" || after != cookie {
		t.Errorf("the slow request got %d %q, and a cookie: %t", w.Code, w.Body, after != cookie)
	}
	b.wants(cookie, 0)
}

func TestS4ChangeAfterFirstByte(t *testing.T) {
	b := newBench(t, memstore.New())
	cookie := b.signIn("owner")
	w, _ := b.do(cookie, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "first")
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
		b.put(r.Context(), 2)
	})
	if !w.Flushed {
		t.Error("the flush did not come through")
	}
	b.wants(cookie, 2)
}

func TestS5ChangeBeforeAbort(t *testing.T) {
	b := newBench(t, memstore.New())
	cookie := b.signIn("owner")
	panicking := func(cause any, value int) {
		defer func() {
			if p := recover(); p != cause {
				t.Errorf("the panic became %v", p)
			}
		}()
		b.do(cookie, func(_ http.ResponseWriter, r *http.Request) {
			b.put(r.Context(), value)
			panic(cause)
		})
	}
	panicking(http.ErrAbortHandler, 2)
	b.wants(cookie, 2)
	panicking("a fault of the handler's", 3) // req 130
	b.wants(cookie, 2)
}

func TestS6BrowserGoesAwayBeforeSave(t *testing.T) {
	b := newBench(t, memstore.New()) // its calls fail once their context has ended
	cookie := b.signIn("owner")
	ctx, leave := context.WithCancel(t.Context())
	b.doCtx(ctx, cookie, func(_ http.ResponseWriter, r *http.Request) {
		b.put(r.Context(), 2)
		leave()
	})
	b.wants(cookie, 2)
}

// socket opens a real connection to a handler that takes it over, and returns how to close it; the handler then
// does what is left, and returns.
func (b *bench) socket(cookie string, left func(context.Context)) (closeIt func()) {
	b.t.Helper()
	done := make(chan struct{})
	server := httptest.NewServer(b.server.withSession(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(done)
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			b.t.Error(err)
			return
		}
		_, _ = buffered.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\n")
		_ = buffered.Flush()
		_, _ = io.Copy(io.Discard, buffered)
		left(r.Context())
		_ = conn.Close()
	})))
	b.t.Cleanup(server.Close)
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		b.t.Fatal(err)
	}
	_, _ = fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: test\r\nCookie: b2trader-session=%s\r\n\r\n", cookie)
	if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.Contains(line, "101") {
		b.t.Fatalf("%q, %v", line, err)
	}
	return func() {
		_ = conn.Close()
		<-done
	}
}

func TestS7SocketClosesAfterChange(t *testing.T) {
	b := newBench(t, memstore.New())
	cookie := b.signIn("owner")
	closeIt := b.socket(cookie, func(ctx context.Context) { b.server.sessions.PutNotice(ctx, "late") })
	b.change(cookie, 2)
	closeIt()
	b.wants(cookie, 2)
}

// req 78
func TestS8SocketClosesAfterSignOut(t *testing.T) {
	b := newBench(t, memstore.New())
	cookie := b.signIn("owner")
	closeIt := b.socket(cookie, func(ctx context.Context) { b.put(ctx, 2) })
	b.signOut(cookie)
	closeIt()
	b.wants(cookie, 0)
}

// A session that begins after the first byte cannot be told to the browser, so it is not stored.
func TestSessionBegunTooLate(t *testing.T) {
	s := &faulty{Store: memstore.New()}
	b := newBench(t, s)
	_, cookie := b.do("", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "first")
		b.put(r.Context(), 1)
	})
	if cookie != "" || s.puts.Load() != 0 {
		t.Errorf("a cookie: %t; %d writes", cookie != "", s.puts.Load())
	}
}
