package session

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/store/records"
)

// faulty is a store that counts what is asked of it, keeps a dump, and fails when told.
type faulty struct {
	store.Store
	gets, puts atomic.Int64
	down, full atomic.Bool
	dump       strings.Builder // of all that was put; read it while no request writes
}

func (f *faulty) Get(ctx context.Context, key string) (store.Record, error) {
	f.gets.Add(1)
	if f.down.Load() {
		return store.Record{}, store.NewFault(ctx, "get", io.ErrUnexpectedEOF)
	}
	return f.Store.Get(ctx, key)
}

func (f *faulty) Put(ctx context.Context, r store.Record) (uint64, error) {
	f.puts.Add(1)
	if f.down.Load() || f.full.Load() {
		return 0, store.NewFault(ctx, "put", io.ErrUnexpectedEOF)
	}
	f.dump.WriteString(r.Key + " " + r.Owner + " " + string(r.Value) + "\n")
	return f.Store.Put(ctx, r)
}

func (f *faulty) Delete(ctx context.Context, key string) error {
	if f.down.Load() {
		return store.NewFault(ctx, "delete", io.ErrUnexpectedEOF)
	}
	return f.Store.Delete(ctx, key)
}

// pass lets virtual time pass, and what that starts come to rest.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// endAll ends the sessions of an owner, and returns how many there were.
func (b *bench) endAll(owner string) int {
	b.t.Helper()
	list, err := b.m.Of(b.t.Context(), owner)
	for _, s := range list {
		err = errors.Join(err, b.m.EndAt(b.t.Context(), s.ID))
	}
	if err != nil {
		b.t.Fatal(err)
	}
	return len(list)
}

// id returns the ID of the session with a cookie.
func (b *bench) id(cookie string) string {
	return strings.TrimPrefix(string(b.m.store.kind.ID(cookie)), prefix)
}

func encoded(s stored) []byte {
	raw, _ := s.encode() // its error is always nil
	return raw
}

// wantsNoCall fails if the cookie leads API calls to a session.
func (b *bench) wantsNoCall(cookie string) {
	b.t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.AddCookie(&http.Cookie{Name: "b2trader-session", Value: cookie})
	if found, err := b.m.Find(r, true, netip.Addr{}); !errors.Is(err, ErrNone) {
		b.t.Errorf("Find = %+v, %v, want ErrNone", found, err)
	}
}

// inBubble runs f against a bench in virtual time.
func inBubble(t *testing.T, f func(t *testing.T, b *bench, s *faulty)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &faulty{Store: memstore.New()}
		b := newBench(t, s)
		synctest.Wait()
		f(t, b, s)
	})
}

// req 78: whatever ended a session, a request that began before cannot save it again.
func TestNothingBringsBackASession(t *testing.T) {
	for name, end := range map[string]func(b *bench, cookie string){
		"signed out": func(b *bench, cookie string) { b.signOut(cookie) },
		"ended by its owner": func(b *bench, _ string) {
			if n := b.endAll("issuer subject"); n != 1 {
				b.t.Errorf("%d sessions, want 1", n)
			}
		},
		"ended with its group": func(b *bench, _ string) {
			if err := b.m.EndAll(b.t.Context(), "issuer subject", ""); err != nil {
				b.t.Error(err)
			}
		},
		"ended here":     func(b *bench, _ string) { b.m.EndHere(Selection{Issuer: "issuer", Subject: "subject"}) },
		"idle":           func(_ *bench, _ string) { <-time.After(15 * time.Minute) },
		"idle and swept": func(b *bench, _ string) { pass(17 * time.Minute); b.m.Sweep(b.t.Context()) },
		"past its end":   func(_ *bench, _ string) { pass(11 * time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(_ *testing.T, b *bench, _ *faulty) {
				cookie := b.signIn("issuer subject")
				b.do(cookie, func(_ http.ResponseWriter, slow *http.Request) {
					end(b, cookie)
					b.put(slow.Context(), 2)
					b.m.Touch(slow.Context())
				})
				b.wants(cookie, 0)
				b.wantsNoCall(cookie)
			})
		})
	}
}

// A session is read from memory while it does not change, reading writes nothing, and use is noted once a minute.
func TestReadsAndTouches(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench, s *faulty) {
		cookie := b.signIn("owner")
		use := func() {
			b.do(cookie, func(_ http.ResponseWriter, r *http.Request) { b.m.Touch(r.Context()) })
		}
		counts := func(what string, gets, puts int64) {
			t.Helper()
			if s.gets.Load() != gets || s.puts.Load() != puts {
				t.Errorf("%s: %d reads and %d writes, want %d and %d", what, s.gets.Load(), s.puts.Load(), gets, puts)
			}
			s.gets.Store(0)
			s.puts.Store(0)
		}
		counts("a first sign-in, and one more change", 0, 3) // one of them is the group
		for range 10 {
			b.wants(cookie, 1)
			use()
		}
		counts("ten uses at once", 0, 0)
		b.change(cookie, 1)
		counts("a change that changes nothing", 0, 0)
		for range 180 {
			pass(time.Second)
			use()
		}
		counts("three minutes of use", 0, 3)
		for range 14 { // req 76: a request that does not touch it does not use it
			pass(time.Minute)
			b.wants(cookie, 1)
		}
		pass(time.Minute)
		b.wants(cookie, 0) // req 74
	})
}

// req 80: a store that fails is no sign-out.
func TestStoreFault(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench, s *faulty) {
		cookie := b.signIn("owner")
		s.down.Store(true)
		b.m.store.kind.Forget(b.m.store.kind.ID(cookie))
		w, after := b.do(cookie, func(http.ResponseWriter, *http.Request) { t.Error("it was served") })
		if w.Code != http.StatusServiceUnavailable || after != cookie {
			t.Errorf("a fault of reading: %d, another cookie: %t", w.Code, after != cookie)
		}
		s.down.Store(false)
		b.wants(cookie, 1)

		s.down.Store(true) // the session is in memory, and the fault shows when it is saved
		w, after = b.do(cookie, func(w http.ResponseWriter, r *http.Request) {
			b.put(r.Context(), 2)
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(http.StatusSeeOther)
			if _, err := io.WriteString(w, "went well"); !errors.Is(err, errNotSaved) {
				t.Errorf("writing on gives %v", err)
			}
		})
		if w.Code != http.StatusServiceUnavailable || after != cookie ||
			w.Header().Get("Location") != "" || strings.Contains(w.Body.String(), "went well") {
			t.Errorf("a fault of saving: %d, %v", w.Code, w.Header())
		}
		s.down.Store(false)
		b.wants(cookie, 1)
	})
}

// field 33: a full store refuses every write. The session is served all the
// same, and the write is tried once a second.
func TestUseAtAFullStore(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench, s *faulty) {
		cookie := b.signIn("owner")
		pass(2 * time.Minute)
		s.full.Store(true)
		s.puts.Store(0)
		for range 50 {
			b.do(cookie, func(_ http.ResponseWriter, r *http.Request) {
				if _, err := b.m.Find(r, true, netip.Addr{}); err != nil {
					t.Errorf("Find at a full store = %v, want the session", err)
				}
			})
			pass(100 * time.Millisecond)
		}
		if n := s.puts.Load(); n != 5 {
			t.Errorf("%d writes in five seconds, want 5", n)
		}
		s.full.Store(false)
		pass(time.Second)
		b.wants(cookie, 1)
	})
}

// req 73: a dump of the store shows no user and no value, and opens no session.
func TestStoreDump(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench, s *faulty) {
		cookie := b.signIn("a-telling-owner")
		u := User{Owner: "a-telling-owner", Issuer: "https://issuer", Subject: "a-telling-owner", Email: "Telling@example.com", IdentityID: "telling-sid", SignedIn: time.Now()}
		if err := NewIndex(b.cache, []records.Key{b.key}).Remember(t.Context(), b.id(cookie), u, time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		dump := s.dump.String()
		for _, secret := range []string{cookie, "telling", "Telling", "key of", string(b.m.store.kind.ID("telling@example.com"))[len(prefix):]} {
			if strings.Contains(dump, secret) {
				t.Errorf("the store tells %q", secret)
			}
		}
		if len(dump) < 100 {
			t.Error("nothing was dumped")
		}
		b.wants(b.id(cookie), 0)
	})
}

// req 81: a new key, and a process that has never seen the session.
func TestKeyRotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, old, current := memstore.New(), records.NewKey("old"), records.NewKey("current")
		cookie := newBench(t, s, old).signIn("owner")
		newBench(t, s, current, old).wants(cookie, 1)
		b := newBench(t, s, current)
		b.wants(cookie, 0) // fails closed, and ends nothing
		newBench(t, s, old, current).wants(cookie, 1)
	})
}

// req 79: between processes, too.
func TestOlderCopyOfAnotherProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, key := memstore.New(), records.NewKey("shared")
		here, there := newBench(t, s, key), newBench(t, s, key)
		cookie := here.signIn("owner")
		here.do(cookie, func(_ http.ResponseWriter, slow *http.Request) {
			there.change(cookie, 2)
			notice.Put(slow.Context(), here.m, "slow")
		})
		synctest.Wait()
		here.wants(cookie, 2)
		there.wants(cookie, 2)
		there.signOut(cookie)
		synctest.Wait()
		here.wants(cookie, 0) // req 77
	})
}

// A session without a user, such as one that waits for a second factor, is none
// for API calls.
func TestCallsNeedAUser(t *testing.T) {
	inBubble(t, func(_ *testing.T, b *bench, _ *faulty) {
		_, cookie := b.do("", func(_ http.ResponseWriter, r *http.Request) { b.m.NewBrowser(r.Context()) })
		b.wantsNoCall(cookie)
	})
}

// A value that a request removes stays removed if another one changes the
// session meanwhile.
func TestRemovalDuringAChange(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench, _ *faulty) {
		cookie := b.signIn("owner")
		b.do(cookie, func(_ http.ResponseWriter, r *http.Request) { notice.Put(r.Context(), b.m, "once") })
		b.do(cookie, func(_ http.ResponseWriter, slow *http.Request) {
			notice.Pop(slow.Context(), b.m)
			b.change(cookie, 2)
		})
		b.wants(cookie, 2)
		b.do(cookie, func(_ http.ResponseWriter, r *http.Request) {
			if text, there := notice.Get(r.Context(), b.m); there {
				t.Errorf("the notice %q is back", text)
			}
		})
	})
}

// What one user has is listed and ended without the others'.
func TestSessionsOfOneOwner(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench, _ *faulty) {
		mine := []string{b.signIn("one"), b.signIn("one")}
		other := b.signIn("two")
		if n := b.endAll("one"); n != 2 {
			t.Fatalf("%d sessions of one, want 2", n)
		}
		for _, cookie := range mine {
			b.wants(cookie, 0)
		}
		b.wants(other, 1)
	})
}

func TestSessionCodec(t *testing.T) {
	raw, err := json.Marshal(User{Owner: "owner", VaultKey: "key"})
	if err != nil {
		t.Fatal(err)
	}
	body := encodeValues(time.UnixMilli(1_800_000_000_123), map[string]json.RawMessage{userValue.name: raw, "empty": nil, "x": json.RawMessage(`"y"`)})
	s := stored{seen: time.UnixMilli(1_800_000_000_000), address: netip.MustParseAddr("2001:db8::1"), body: body}
	got, err := decodeStored(encoded(s))
	if err != nil || !got.seen.Equal(s.seen) || got.address != s.address || string(got.body) != string(body) || got.keys.vaultKey != "key" || got.user().VaultKey != "key" {
		t.Errorf("%+v, %v", got, err)
	}
	for cut := range len(encoded(s)) {
		if _, err := decodeStored(encoded(s)[:cut]); err == nil && cut < len(encoded(s))-len(body)+1 {
			t.Errorf("%d bytes of it are a session", cut)
		}
	}
	if _, err := decodeStored([]byte{2, 0, 0, 0}); err == nil {
		t.Error("another version is a session")
	}
}

// BenchmarkSession is what a session costs a request that does not change it.
func BenchmarkSession(b *testing.B) {
	bench := newBench(b, memstore.New())
	cookie := bench.signIn("owner")
	h := bench.handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, ok := bench.m.User(r.Context()); !ok {
			b.Error("User returned no user")
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.AddCookie(&http.Cookie{Name: "b2trader-session", Value: cookie})
		w := httptest.NewRecorder()
		for pb.Next() {
			clear(w.Header())
			h.ServeHTTP(w, r)
		}
	})
}

func FuzzDecodeSession(f *testing.F) {
	f.Add([]byte(nil))
	f.Add([]byte{storedVersion, 0, 0, 0})
	f.Add(encoded(stored{body: encodeValues(time.UnixMilli(1), map[string]json.RawMessage{userValue.name: json.RawMessage(`{}`)})}))
	f.Add([]byte{storedVersion, 1, 0, 1, 1, 'a', 255, 255, 255, 255, 255, 255, 255, 255, 255, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := decodeStored(b)
		if err != nil && (s.body != nil || s.keys != keys{}) {
			t.Error("an error, and a session")
		}
	})
}
