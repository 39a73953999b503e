package vault_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/vault"
)

// A line is one process's way to the store. It can be cut, or stand still as in a process that is paused.
type line struct {
	store.Store
	mu    sync.Mutex
	err   error         // of every call, while the line is cut
	still chan struct{} // closed when writes go on
	gets  int
	deaf  bool // events are not passed on

	notices chan store.Event // of the line itself
	ahead   time.Duration    // the clock of the process
}

func (l *line) cut(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = err
}

func (l *line) pass(ctx context.Context, write bool) error {
	l.mu.Lock()
	still, err := l.still, l.err
	if !write {
		l.gets++
	}
	l.mu.Unlock()
	if write && still != nil {
		select {
		case <-still:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if err != nil {
		return store.NewFault(ctx, "call", err)
	}
	return nil
}

func (l *line) Get(ctx context.Context, key string) (store.Record, error) {
	if err := l.pass(ctx, false); err != nil {
		return store.Record{}, err
	}
	return l.Store.Get(ctx, key)
}

func (l *line) Put(ctx context.Context, r store.Record) (uint64, error) {
	if err := l.pass(ctx, true); err != nil {
		return 0, err
	}
	return l.Store.Put(ctx, r)
}

func (l *line) Delete(ctx context.Context, key string) error {
	if err := l.pass(ctx, true); err != nil {
		return err
	}
	return l.Store.Delete(ctx, key)
}

// Watch passes on what happens, except while the line is deaf.
func (l *line) Watch(ctx context.Context) iter.Seq[store.Event] {
	return func(yield func(store.Event) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		events := make(chan store.Event)
		go func() {
			defer close(events)
			for e := range l.Store.Watch(ctx) {
				l.mu.Lock()
				deaf := l.deaf
				l.mu.Unlock()
				if deaf {
					continue
				}
				select {
				case events <- e:
				case <-ctx.Done():
					return
				}
			}
		}()
		for {
			select {
			case e, ok := <-events:
				if !ok || !yield(e) {
					return
				}
			case e := <-l.notices:
				if !yield(e) {
					return
				}
			}
		}
	}
}

// interrupt makes the line deaf, and tells; resume ends that.
func (l *line) interrupt() {
	l.mu.Lock()
	l.deaf = true
	l.mu.Unlock()
	l.notices <- store.Event{Kind: store.Lost, Err: errors.New("cut")}
	synctest.Wait()
}

func (l *line) resume() {
	synctest.Wait() // what happened until now was not heard
	l.mu.Lock()
	l.deaf = false
	l.mu.Unlock()
	l.notices <- store.Event{Kind: store.Synced}
	synctest.Wait()
}

// A street is several processes that share a store and an IdentityServer, on virtual time.
type street struct {
	*testing.T
	server *identitytest.Server
	disk   *memstore.Store
	key    vault.Key
	vaults []*vault.Vault
	lines  []*line
	client *identity.Client
	wires  []*wire

	mu       sync.Mutex
	revoked  int
	renewals []vault.Renewal
}

// A wire is one process's way to the IdentityServer.
type wire struct {
	base     http.RoundTripper
	mu       sync.Mutex
	refusals int // dials that fail before one succeeds
}

func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	w.mu.Lock()
	refuse := w.refusals > 0
	w.refusals = max(0, w.refusals-1)
	w.mu.Unlock()
	if refuse {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: io.EOF}
	}
	return w.base.RoundTrip(req)
}

func inStreet(t *testing.T, processes int, f func(s *street)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		srv, err := identitytest.New(identitytest.Config{})
		if err != nil {
			t.Fatal(err)
		}
		s := &street{T: t, server: srv, disk: memstore.New(), key: vault.NewKey("a")}
		defer func() { _ = s.disk.Close() }()
		for range processes {
			s.open(&line{Store: s.disk, notices: make(chan store.Event)})
		}
		defer func() {
			for _, v := range s.vaults {
				ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
				_ = v.Close(ctx)
				cancel()
			}
		}()
		f(s)
	})
}

// open starts one process.
func (s *street) open(l *line) *vault.Vault {
	s.Helper()
	w := &wire{base: s.server.Transport()}
	client, err := identity.New(identity.Config{URL: "https://trader.example.com", ClientID: "spa", Transport: w})
	if err != nil {
		s.Fatal(err)
	}
	v, err := vault.New(vault.Config{
		Store: l, Keys: []vault.Key{s.key}, Refreshers: map[string]vault.Refresher{"spa": client}, MaxWait: time.Minute,
		Logger:    slog.New(slog.DiscardHandler),
		Now:       func() time.Time { return time.Now().Add(l.ahead) },
		Revoke:    func(context.Context, vault.Entry) { s.mu.Lock(); s.revoked++; s.mu.Unlock() },
		OnRenewal: func(r vault.Renewal) { s.mu.Lock(); s.renewals = append(s.renewals, r); s.mu.Unlock() },
	})
	if err != nil {
		s.Fatal(err)
	}
	s.client, s.vaults, s.lines, s.wires = client, append(s.vaults, v), append(s.lines, l), append(s.wires, w)
	return v
}

// signIn puts a sign-in into the first vault, with or without a state, and lets its token expire.
func (s *street) signIn(withState bool) {
	s.Helper()
	in, err := s.client.SignIn(s.Context(), "trader@example.com", "trader-password")
	if err != nil {
		s.Fatal(err)
	}
	code, err := in.Authorize(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	token, err := in.RetrieveToken(s.Context(), code)
	if err != nil {
		s.Fatal(err)
	}
	e := vault.Entry{Owner: "trader", Client: "spa", Token: token}
	if withState {
		state, err := in.State()
		if err != nil {
			s.Fatal(err)
		}
		e.State, _ = state.MarshalBinary()
	}
	if err := s.vaults[0].Put(s.Context(), "k", e); err != nil {
		s.Fatal(err)
	}
	pass(31 * time.Second)
}

func (s *street) fault(f identitytest.Fault) {
	f.Grant = "refresh_token"
	s.server.Inject(identitytest.EndpointToken, f)
}

// lives checks that every process has a live token, and how many refresh requests and resumptions it took.
func (s *street) lives(refreshes, resumptions int) {
	s.Helper()
	var first *oauth2.Token
	for i, v := range s.vaults {
		token, err := v.Token(s.Context(), "k")
		if err != nil {
			s.Fatalf("process %d: %v", i, err)
		}
		if first == nil {
			first = token
		}
		if !same(first, token) || time.Until(token.Expiry) <= 0 {
			s.Errorf("process %d has another token than the first, or a dead one", i)
		}
	}
	s.took(refreshes, resumptions)
}

func (s *street) took(refreshes, resumptions int) {
	s.Helper()
	synctest.Wait()
	if n := s.server.Grants("refresh_token"); n != refreshes {
		s.Errorf("%d refresh requests, want %d", n, refreshes)
	}
	if n := s.server.Count(identitytest.EndpointAuthorize) - 1; n != resumptions {
		s.Errorf("%d resumptions, want %d", n, resumptions)
	}
}

// req 47, 48, 49, 52: 120 callers in three processes, one refresh request, however slow the server. I1, I2
func TestOneRenewalForAnyNumberOfProcesses(t *testing.T) {
	for _, delay := range []time.Duration{0, 3 * time.Second, 12 * time.Second, 40 * time.Second} {
		inStreet(t, 3, func(s *street) {
			s.signIn(false)
			s.fault(identitytest.Fault{DelayAfter: delay})
			var wg sync.WaitGroup
			for i := range 120 {
				wg.Go(func() {
					if token, err := s.vaults[i%3].Token(s.Context(), "k"); err != nil || time.Until(token.Expiry) < 0 && delay < 30*time.Second {
						s.Errorf("after %v: %v", delay, err)
					}
				})
			}
			wg.Wait()
			synctest.Wait()
			if n := s.server.Grants("refresh_token"); delay < 30*time.Second && n != 1 || n > 2 {
				s.Errorf("%v: %d refresh requests", delay, n)
			}
		})
	}
}

// req 54: what was surely not sent is repeated, within the same renewal.
func TestNotSent(t *testing.T) {
	inStreet(t, 1, func(s *street) {
		s.signIn(false)
		s.wires[0].refusals = 2
		s.lives(1, 0)
	})
}

// req 54: no answer, so the server is asked once more; here the first request was lost on its way.
func TestLostRequest(t *testing.T) {
	inStreet(t, 2, func(s *street) {
		s.signIn(false)
		s.fault(identitytest.Fault{LoseRequest: true})
		s.lives(2, 0)
	})
}

// Here the answer was lost: the refresh token is spent, and the IdentityServer's session saves ours. I4
func TestLostAnswer(t *testing.T) {
	inStreet(t, 2, func(s *street) {
		s.signIn(true)
		s.fault(identitytest.Fault{LoseAnswer: true})
		s.lives(2, 1)
		pass(31 * time.Second)
		s.lives(3, 1) // and goes on as before
	})
}

// req 56, 62: without such a session that is the end, and no more calls are made. I8
func TestLostAnswerWithoutState(t *testing.T) {
	inStreet(t, 2, func(s *street) {
		s.signIn(false)
		s.fault(identitytest.Fault{LoseAnswer: true})
		for range 3 {
			for _, v := range s.vaults {
				if _, err := v.Token(s.Context(), "k"); !errors.Is(err, vault.ErrEnded) {
					s.Errorf("got %v", err)
				}
			}
			pass(time.Minute)
		}
		s.took(2, 0)
	})
}

// The resumption may fail for a moment, too.
func TestResumptionIsTriedAgain(t *testing.T) {
	inStreet(t, 1, func(s *street) {
		s.signIn(true)
		s.fault(identitytest.Fault{LoseAnswer: true})
		s.server.Inject(identitytest.EndpointAuthorize, identitytest.Fault{Status: 503})
		if _, ok := errors.AsType[*vault.UnavailableError](errOf(s.vaults[0].Token(s.Context(), "k"))); !ok {
			s.Error("a resumption that failed for a moment ended the entry")
		}
		pass(20 * time.Second)
		s.lives(3, 2)
	})
}

// If the IdentityServer's session is over as well, the entry ends.
func TestResumptionRefused(t *testing.T) {
	inStreet(t, 1, func(s *street) {
		s.signIn(true)
		s.server.RevokeTokens("trader@example.com")
		s.server.EndSessions("trader@example.com")
		if _, err := s.vaults[0].Token(s.Context(), "k"); !errors.Is(err, vault.ErrEnded) {
			s.Errorf("got %v", err)
		}
	})
}

// A process dies right after the server answered. Another takes over when the lease has run out. I4
func TestCrashBeforeTheSuccessorIsStored(t *testing.T) {
	inStreet(t, 2, func(s *street) {
		s.signIn(true)
		s.fault(identitytest.Fault{DelayAfter: 2 * time.Second})
		go func() { _, _ = s.vaults[0].Token(s.Context(), "k") }()
		pass(time.Second)
		s.lines[0].cut(errors.New("dead"))
		token, err := s.vaults[1].Token(s.Context(), "k")
		if err != nil || time.Until(token.Expiry) <= 0 {
			s.Errorf("got %v", err)
		}
		s.took(2, 1)
		s.lines[0].cut(nil)
		s.lives(2, 1) // what the dead process still held is not stored over the newer tokens (I7)
		pass(6 * time.Second)
		if s.revoked != 1 {
			s.Errorf("%d tokens were revoked, want the one that came too late", s.revoked)
		}
	})
}

// A process stands still beyond its lease, with the answer on its way. The one that takes over is refused, waits
// before it believes that, and finds the successor stored.
func TestPausedHolder(t *testing.T) {
	inStreet(t, 2, func(s *street) {
		s.signIn(false)
		s.fault(identitytest.Fault{DelayAfter: 15 * time.Second})
		first := make(chan error)
		go func() { first <- errOf(s.vaults[0].Token(s.Context(), "k")) }()
		pass(time.Second)
		s.lines[0].stop(16 * time.Second) // its lease runs out, and is taken
		if _, err := s.vaults[1].Token(s.Context(), "k"); err != nil {
			s.Errorf("the process that took over: %v", err)
		}
		if err := <-first; err != nil {
			s.Errorf("the process that stood still: %v", err)
		}
		s.lives(2, 0)
	})
}

// It may stand still for so long that the entry is given up. Then its successor revives it.
func TestVeryLongPause(t *testing.T) {
	inStreet(t, 2, func(s *street) {
		s.signIn(false)
		s.fault(identitytest.Fault{DelayAfter: 2 * time.Second})
		go func() { _, _ = s.vaults[0].Token(s.Context(), "k") }()
		pass(time.Second)
		s.lines[0].stop(50 * time.Second)
		if _, err := s.vaults[1].Token(s.Context(), "k"); !errors.Is(err, vault.ErrEnded) {
			s.Errorf("got %v", err)
		}
		pass(time.Minute) // the caller that still waits gets a third, and now a fourth is due
		s.lives(4, 0)
	})
}

// stop makes writes stand still for d.
func (l *line) stop(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	still := make(chan struct{})
	l.still = still
	time.AfterFunc(d, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.still = nil
		close(still)
	})
}

// req 51: the store is away when the successor comes. Nobody gets it before it is stored; that is tried until it is. I5
func TestSuccessorOutlivesAnOutageOfTheStore(t *testing.T) {
	inStreet(t, 1, func(s *street) {
		s.signIn(false)
		s.fault(identitytest.Fault{DelayAfter: 2 * time.Second})
		go func() { _, _ = s.vaults[0].Token(s.Context(), "k") }()
		pass(time.Second)
		s.lines[0].cut(errors.New("away"))
		ctx, cancel := context.WithTimeout(s.Context(), 10*time.Second)
		defer cancel()
		if _, err := s.vaults[0].Token(ctx, "k"); !errors.Is(err, context.DeadlineExceeded) {
			s.Errorf("a token was handed out that is not stored, or the entry ended: %v", err)
		}
		s.lines[0].cut(nil)
		pass(6 * time.Second)
		s.lives(1, 0)
	})
}

// req 80: a store that is away says nothing about an entry. I5
func TestStoreOutage(t *testing.T) {
	inStreet(t, 2, func(s *street) {
		s.signIn(false)
		for _, l := range s.lines {
			l.cut(errors.New("away"))
		}
		for range 5 {
			for _, v := range s.vaults {
				for _, err := range []error{errOf(v.Token(s.Context(), "k")), errOf(v.Delete(s.Context(), "k")), errOf(v.DeleteOwner(s.Context(), "trader"))} {
					if u, ok := errors.AsType[*vault.UnavailableError](err); !ok || u.RetryAfter < time.Second || !errors.Is(err, store.ErrUnavailable) {
						s.Errorf("got %v", err)
					}
				}
			}
			pass(20 * time.Second)
		}
		for _, l := range s.lines {
			l.cut(nil)
		}
		pass(20 * time.Second)
		s.lives(1, 0)
	})
}

// req 77, 78: a sign-out in one process ends the entry in all, renewals under way included, and streams hear of it. I6
func TestSignOutEverywhereAtOnce(t *testing.T) {
	inStreet(t, 2, func(s *street) {
		s.signIn(true)
		done, forget, err := s.vaults[1].Done(s.Context(), "k")
		if err != nil {
			s.Fatal(err)
		}
		defer forget()
		s.fault(identitytest.Fault{DelayAfter: 5 * time.Second})
		slow := make(chan error)
		go func() { slow <- errOf(s.vaults[1].Token(s.Context(), "k")) }()
		synctest.Wait()
		if _, err := s.vaults[0].Delete(s.Context(), "k"); err != nil {
			s.Fatal(err)
		}
		synctest.Wait()
		select {
		case <-done:
		default:
			s.Error("a stream in the other process was not told")
		}
		if err := <-slow; !errors.Is(err, vault.ErrNotFound) {
			s.Errorf("the slow request got %v", err)
		}
		pass(6 * time.Second)
		for _, v := range s.vaults {
			if _, err := v.Token(s.Context(), "k"); !errors.Is(err, vault.ErrNotFound) {
				s.Errorf("afterwards: %v", err)
			}
		}
		if s.revoked != 1 {
			s.Errorf("%d tokens were revoked, want the one that came after the sign-out", s.revoked)
		}
		if err := s.vaults[0].Put(s.Context(), "k", vault.Entry{Client: "spa", Token: &oauth2.Token{AccessToken: "a"}}); !errors.Is(err, vault.ErrNotFound) {
			s.Errorf("a deleted key was filled again: %v", err)
		}
	})
}

// A read costs no round trip while nothing changed, and another process's renewal is heard of.
func TestReadsComeFromMemory(t *testing.T) {
	inStreet(t, 2, func(s *street) {
		s.signIn(false)
		s.lives(1, 0)
		before := s.lines[1].gets
		for range 1000 {
			if _, err := s.vaults[1].Token(s.Context(), "k"); err != nil {
				s.Fatal(err)
			}
		}
		if n := s.lines[1].gets - before; n != 0 {
			s.Errorf("%d reads of the store for 1000 tokens", n)
		}
	})
}

func errOf[T any](_ T, err error) error { return err }

// While the watch is interrupted, what another process does is not told. So nothing is answered from memory.
func TestInterruptedWatch(t *testing.T) {
	inStreet(t, 2, func(s *street) {
		s.signIn(false)
		s.lives(1, 0)
		s.lines[1].interrupt()
		if _, err := s.vaults[0].Delete(s.Context(), "k"); err != nil {
			s.Fatal(err)
		}
		if _, err := s.vaults[1].Token(s.Context(), "k"); !errors.Is(err, vault.ErrNotFound) {
			s.Errorf("got %v", err)
		}
	})
}

// Streams are told of a sign-out as soon as it can be known.
func TestStreamsHearOfASignOutAfterAnInterruption(t *testing.T) {
	inStreet(t, 2, func(s *street) {
		s.signIn(false)
		s.lives(1, 0)
		done, forget, err := s.vaults[1].Done(s.Context(), "k")
		if err != nil {
			s.Fatal(err)
		}
		defer forget()
		s.lines[1].interrupt()
		if _, err := s.vaults[0].Delete(s.Context(), "k"); err != nil {
			s.Fatal(err)
		}
		synctest.Wait()
		select {
		case <-done:
			s.Fatal("the line was not deaf")
		default:
		}
		s.lines[1].resume()
		select {
		case <-done:
		default:
			s.Error("a stream was not told after the interruption")
		}
	})
}

// What was read before an interruption may be out of date after it.
func TestResumedWatch(t *testing.T) {
	inStreet(t, 2, func(s *street) {
		s.signIn(false)
		s.lives(1, 0)
		s.lines[1].interrupt()
		pass(15 * time.Second)
		old, err := s.vaults[0].Token(s.Context(), "k")
		if err != nil {
			s.Fatal(err)
		}
		token, err := s.vaults[0].Renew(s.Context(), "k", old)
		if err != nil {
			s.Fatal(err)
		}
		s.lines[1].resume()
		if got, err := s.vaults[1].Token(s.Context(), "k"); err != nil || !same(got, token) {
			s.Errorf("got the old token, or %v", err)
		}
		s.took(2, 0)
	})
}

// A process whose clock is ahead writes records that seem to live for longer. They do not.
func TestClocksThatDiffer(t *testing.T) {
	inStreet(t, 2, func(s *street) {
		s.lines[0].ahead = 10 * time.Minute
		token, err := s.client.Login(s.Context(), "trader@example.com", "trader-password")
		if err != nil {
			s.Fatal(err)
		}
		ahead := *token
		ahead.Expiry = token.Expiry.Add(10 * time.Minute)
		if err := s.vaults[0].Put(s.Context(), "k", vault.Entry{Owner: "trader", Client: "spa", Token: &ahead}); err != nil {
			s.Fatal(err)
		}
		if _, err := s.vaults[1].Token(s.Context(), "k"); err != nil {
			s.Fatal(err)
		}
		pass(31 * time.Second)
		if got, err := s.vaults[1].Token(s.Context(), "k"); err != nil || same(got, token) {
			s.Errorf("the expired token was handed out, or %v", err)
		}
	})
}
