package vault_test

import (
	"bytes"
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
	uses    int              // the budget of its tokens
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
	server   *identitytest.Server
	disk     *memstore.Store
	key      vault.Key
	vaults   []*vault.Vault
	lines    []*line
	client   *identity.Client
	wires    []*wire
	counters []*counter

	log    bytes.Buffer
	logger *slog.Logger

	mu      sync.Mutex
	revoked int
	states  int // that came with them
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
		s.logger = slog.New(slog.NewTextHandler(&s.log, nil))
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
	c := &counter{platform: w}
	v, err := vault.New(vault.Config{
		Store: l, Keys: []vault.Key{s.key}, Refreshers: map[string]vault.Refresher{"spa": metered{client, l}, "counter": c}, MaxWait: time.Minute,
		Logger: s.logger,
		Now:    func() time.Time { return time.Now().Add(l.ahead) },
		Revoke: func(_ context.Context, e vault.Entry) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.revoked++
			if e.State != nil {
				s.states++
			}
		},
	})
	if err != nil {
		s.Fatal(err)
	}
	c.bearer = v.Source("k")
	s.client, s.vaults, s.lines, s.wires, s.counters = client, append(s.vaults, v), append(s.lines, l), append(s.wires, w), append(s.counters, c)
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

func errOf[T any](_ T, err error) error { return err }
