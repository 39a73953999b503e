package session

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/store/records"
)

// The eight tests below are named for the ways in which scs, with its own
// middleware and stores, loses or brings back a session.

// bench serves handlers of a test with the sessions of a store.
type bench struct {
	t     testing.TB
	m     *Manager
	cache *records.Cache
	key   records.Key
}

func newBench(t testing.TB, s store.Store, keys ...records.Key) *bench {
	t.Helper()
	if keys == nil {
		keys = []records.Key{records.NewKey("test")}
	}
	cache, err := records.Open(records.Config{Store: s, Keys: keys, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cache.Close)
	m := New(Config{
		Records: cache, Idle: 15 * time.Minute, Latest: 10 * time.Hour, Logger: slog.New(slog.DiscardHandler),
	})
	return &bench{t, m, cache, keys[0]}
}

// handler serves h with a session. If the store fails, it answers 503.
func (b *bench) handler(h http.Handler) http.Handler {
	address := func(*http.Request) netip.Addr { return netip.Addr{} }
	return b.m.Handler(h, address, func(w http.ResponseWriter, _ *http.Request, err error) {
		if _, ok := errors.AsType[*StoreError](err); !ok {
			b.t.Errorf("the failure of the store is %v, want a *StoreError", err)
		}
		clear(w.Header())
		w.WriteHeader(http.StatusServiceUnavailable)
	})
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
	b.handler(h).ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		cookie = c.Value
	}
	return w, cookie
}

// signIn begins a session of owner that holds the value 1.
func (b *bench) signIn(owner string) (cookie string) {
	b.t.Helper()
	_, cookie = b.do("", func(_ http.ResponseWriter, r *http.Request) {
		u := User{Owner: owner, VaultKey: "key of " + owner, Client: "spa", SignedIn: b.m.Now()}
		if err := b.m.SignIn(r.Context(), u, func() {}); err != nil {
			b.t.Error(err)
		}
		b.put(r.Context(), 1)
	})
	if cookie == "" {
		b.t.Fatal("no cookie")
	}
	return cookie
}

var (
	number = NewValue[int]("value")
	notice = NewValue[string]("n")
)

func (b *bench) put(ctx context.Context, value int) { number.Put(ctx, b.m, value) }

// value is what the session of cookie holds; 0 without a signed-in user.
func (b *bench) value(cookie string) (value int) {
	b.t.Helper()
	b.do(cookie, func(_ http.ResponseWriter, r *http.Request) {
		if _, ok := b.m.User(r.Context()); ok {
			value, _ = number.Get(r.Context(), b.m)
		}
	})
	return value
}

func (b *bench) wants(cookie string, want int) {
	b.t.Helper()
	if got := b.value(cookie); got != want {
		b.t.Errorf("the session holds %d, want %d (0: no signed-in user)", got, want)
	}
}

func (b *bench) change(cookie string, value int) {
	b.t.Helper()
	b.do(cookie, func(_ http.ResponseWriter, r *http.Request) { b.put(r.Context(), value) })
}

func (b *bench) signOut(cookie string) {
	b.t.Helper()
	b.do(cookie, func(_ http.ResponseWriter, r *http.Request) {
		if _, err := b.m.End(r.Context()); err != nil {
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
		notice.Put(slow.Context(), b.m, "from the slow one")
	})
	b.wants(cookie, 2)
	b.do(cookie, func(_ http.ResponseWriter, r *http.Request) {
		if got, _ := notice.Pop(r.Context(), b.m); got != "from the slow one" {
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
	server := httptest.NewServer(b.handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
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
	closeIt := b.socket(cookie, func(ctx context.Context) { notice.Put(ctx, b.m, "late") })
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
