package vault

import (
	"context"
	"errors"
	"iter"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/tokenapi"
)

// A putHook is a store that runs a function around each Put, by its number, one
// after each Get and one before each watch, unless they are nil.
type putHook struct {
	store.Store
	around      func(ctx context.Context, number int, put func() (uint64, error)) (uint64, error)
	afterGet    func()
	beforeWatch func()

	mu   sync.Mutex
	puts int
}

func (h *putHook) Put(ctx context.Context, r store.Record) (uint64, error) {
	h.mu.Lock()
	h.puts++
	number := h.puts
	h.mu.Unlock()
	return h.around(ctx, number, func() (uint64, error) { return h.Store.Put(ctx, r) })
}

func (h *putHook) Get(ctx context.Context, key string) (store.Record, error) {
	r, err := h.Store.Get(ctx, key)
	if h.afterGet != nil {
		h.afterGet()
	}
	return r, err
}

func (h *putHook) Watch(ctx context.Context) iter.Seq[store.Event] {
	if h.beforeWatch != nil {
		h.beforeWatch()
	}
	return h.Store.Watch(ctx)
}

// direct is a hook that only puts.
func direct(_ context.Context, _ int, put func() (uint64, error)) (uint64, error) { return put() }

// A slowServer answers after a while. It notes what each request found.
type slowServer struct {
	takes   time.Duration
	arrived func()

	mu       sync.Mutex
	requests int
}

func (s *slowServer) Refresh(ctx context.Context, _ *oauth2.Token) (*oauth2.Token, error) {
	s.mu.Lock()
	s.requests++
	s.mu.Unlock()
	if s.arrived != nil {
		s.arrived()
	}
	select {
	case <-time.After(s.takes):
		return &oauth2.Token{AccessToken: "new", RefreshToken: "next", Expiry: time.Now().Add(time.Hour)}, nil
	case <-ctx.Done():
		return nil, tokenapi.WithOutcome(ctx.Err(), tokenapi.Outcome{Kind: tokenapi.Unanswered})
	}
}

const testLease = 4 * time.Second

// inLeases runs f with a vault whose Puts are hooked, and another one. Both have
// an expired entry under "k".
func inLeases(t *testing.T, server Refresher, around func(ctx context.Context, number int, put func() (uint64, error)) (uint64, error), f func(t *testing.T, hooked, other *Vault)) {
	t.Helper()
	inHookedLeases(t, server, &putHook{around: around}, f)
}

// inHookedLeases is inLeases with that hook, whose Store it sets.
func inHookedLeases(t *testing.T, server Refresher, hook *putHook, f func(t *testing.T, hooked, other *Vault)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		disk := memstore.New()
		defer func() { _ = disk.Close() }()
		key := NewKey("a")
		start := func(s store.Store) *Vault {
			v, err := New(Config{Store: s, Keys: []Key{key}, Refreshers: map[string]Refresher{"spa": server}, Lease: testLease})
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		other := start(disk)
		defer func() { _ = other.Close(context.Background()) }()
		if err := other.Put(t.Context(), "k", Entry{Client: "spa", Token: &oauth2.Token{RefreshToken: "r", Expiry: time.Now()}}); err != nil {
			t.Fatal(err)
		}
		hook.Store = disk
		hooked := start(hook)
		defer func() { _ = hooked.Close(context.Background()) }()
		synctest.Wait()
		f(t, hooked, other)
	})
}

// field 39: a refresh token is sent only while most of the lease is left.
func TestLeaseIsFreshWhenTheTokenIsSent(t *testing.T) {
	var inStore *Vault
	left := time.Duration(-1)
	server := &slowServer{takes: time.Second}
	server.arrived = func() {
		stored, err := inStore.records.Ref(inStore.records.ID("k")).Read(context.Background())
		if err == nil && stored.Value.Lease != nil {
			left = time.Until(stored.Value.Lease.Until)
		}
	}
	late := func(_ context.Context, number int, put func() (uint64, error)) (uint64, error) {
		if number == 1 {
			<-time.After(3 * time.Second)
		}
		return put()
	}
	inLeases(t, server, late, func(t *testing.T, hooked, other *Vault) {
		inStore = other
		if _, err := hooked.Token(t.Context(), "k"); err != nil || left < testLease/2 {
			t.Errorf("Token = %v, and %v of the lease were left when the token was sent, want at least %v", err, left, testLease/2)
		}
	})
}

// field 39: no token is sent under leases that the store takes too long to write.
func TestNoTokenIsSentUnderAStaleLease(t *testing.T) {
	server := &slowServer{takes: time.Second}
	late := func(_ context.Context, _ int, put func() (uint64, error)) (uint64, error) {
		<-time.After(3 * time.Second)
		return put()
	}
	inLeases(t, server, late, func(t *testing.T, hooked, _ *Vault) {
		_, err := hooked.Token(t.Context(), "k")
		if _, ok := errors.AsType[*UnavailableError](err); !ok || server.requests != 0 {
			t.Errorf("Token = %v after %d requests, want an UnavailableError and none", err, server.requests)
		}
	})
}

// field 39: an extension that reached the store and seemed to fail does not end
// the extensions, and another process does not take the lease over.
func TestExtensionWithALostAnswer(t *testing.T) {
	server := &slowServer{takes: 15 * time.Second}
	lost := func(ctx context.Context, number int, put func() (uint64, error)) (uint64, error) {
		version, err := put()
		if number == 2 {
			return 0, store.NewFault(ctx, "put", errors.New("the answer was lost"))
		}
		return version, err
	}
	inLeases(t, server, lost, func(t *testing.T, hooked, other *Vault) {
		var callers sync.WaitGroup
		for i, v := range []*Vault{hooked, other} {
			<-time.After(time.Duration(i) * time.Second)
			callers.Go(func() {
				if _, err := v.Token(t.Context(), "k"); err != nil {
					t.Errorf("Token = %v, want a token", err)
				}
			})
		}
		callers.Wait()
		if server.requests != 1 {
			t.Errorf("%d refresh requests, want 1", server.requests)
		}
	})
}

// field 39: a process that finds a lease which has just run out gives its holder
// the time to extend it late.
func TestLateExtensionIsNotTakenOver(t *testing.T) {
	server := &slowServer{takes: 10 * time.Second}
	began := time.Time{}
	slow := func(ctx context.Context, number int, put func() (uint64, error)) (uint64, error) {
		if number > 1 {
			select {
			case <-time.After(time.Until(began.Add(testLease + 200*time.Millisecond))):
			case <-ctx.Done():
				return 0, store.NewFault(ctx, "put", ctx.Err())
			}
		}
		return put()
	}
	inLeases(t, server, slow, func(t *testing.T, hooked, other *Vault) {
		began = time.Now()
		var callers sync.WaitGroup
		for i, v := range []*Vault{hooked, other} {
			<-time.After(time.Duration(i) * (testLease + 50*time.Millisecond))
			callers.Go(func() {
				if _, err := v.Token(t.Context(), "k"); err != nil {
					t.Errorf("Token = %v, want a token", err)
				}
			})
		}
		callers.Wait()
		if server.requests != 1 {
			t.Errorf("%d refresh requests, want 1", server.requests)
		}
	})
}

// A process whose request arrived late, after another took its lease over, is
// refused. It does not end the entry while the other waits for its answer, and
// ends it in the end if no successor comes.
func TestLateRequestDoesNotEndTheEntry(t *testing.T) {
	for name, answered := range map[string]bool{"the other has the answer": true, "the answer to the other is lost": false} {
		t.Run(name, func(t *testing.T) {
			server := &singleUse{late: 30 * time.Second, answerAfter: 40 * time.Second, answered: answered}
			cut := func(ctx context.Context, number int, put func() (uint64, error)) (uint64, error) {
				if number > 1 && server.requests.Load() < 2 { // no extension reaches the store
					return 0, store.NewFault(ctx, "put", errors.New("cut off"))
				}
				return put()
			}
			inLeases(t, server, cut, func(t *testing.T, hooked, other *Vault) {
				errs := make([]error, 2)
				var callers sync.WaitGroup
				for i, v := range []*Vault{hooked, other} {
					callers.Go(func() {
						for unavailable := true; unavailable; { // the server takes longer than a caller waits
							_, errs[i] = v.Token(t.Context(), "k")
							_, unavailable = errors.AsType[*UnavailableError](errs[i])
							<-time.After(time.Second)
						}
					})
					<-time.After(time.Second)
				}
				callers.Wait()
				for i, err := range errs {
					if answered && err != nil || !answered && !errors.Is(err, ErrEnded) {
						t.Errorf("Token in process %d = %v, want a token %v, else ErrEnded", i, err, answered)
					}
				}
			})
		})
	}
}

// A singleUse is a server whose first request arrives late. The second one is
// answered late, or not at all.
type singleUse struct {
	late, answerAfter time.Duration
	answered          bool
	requests          atomic.Int64
	spent             atomic.Bool
}

func (s *singleUse) Refresh(context.Context, *oauth2.Token) (*oauth2.Token, error) {
	first := s.requests.Add(1) == 1
	if first {
		<-time.After(s.late)
	}
	if s.spent.Swap(true) {
		return nil, &simError{tokenapi.Refused}
	}
	<-time.After(s.answerAfter)
	if !s.answered {
		return nil, &simError{tokenapi.Unanswered}
	}
	return &oauth2.Token{AccessToken: "next", RefreshToken: "r2", Expiry: time.Now().Add(time.Minute)}, nil
}

// field 40: a renewal that waits for its turn holds no lease, and one that waits
// for another process's lease holds up no other renewal.
func TestNoLeaseIsHeldWhileARenewalWaits(t *testing.T) {
	server := &slowServer{takes: 8 * time.Second}
	inLeases(t, server, direct, func(t *testing.T, hooked, other *Vault) {
		if err := other.Put(t.Context(), "l", Entry{Client: "spa", Token: &oauth2.Token{RefreshToken: "r2", Expiry: time.Now()}}); err != nil {
			t.Fatal(err)
		}
		hooked.paces["spa"].limit, other.paces["spa"].limit = 1, 1
		began := time.Now()
		var callers sync.WaitGroup
		for _, ask := range []struct {
			v   *Vault
			key string
		}{{hooked, "k"}, {hooked, "l"}, {other, "k"}, {other, "l"}} {
			callers.Go(func() {
				if _, err := ask.v.Token(t.Context(), ask.key); err != nil {
					t.Errorf("Token(%q) = %v, want a token", ask.key, err)
				}
			})
			synctest.Wait()
		}
		callers.Wait()
		if took := time.Since(began); took > 9*time.Second || server.requests != 2 {
			t.Errorf("%d requests in %v, want 2 side by side, one in each process", server.requests, took)
		}
	})
}
