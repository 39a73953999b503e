package vault_test

import (
	"context"
	"errors"
	"os"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/vault"
)

// A pacedServer is a token server that answers one request after the other.
type pacedServer struct {
	pace time.Duration // of one request

	mu   sync.Mutex
	free time.Time      // when it can begin the next request
	sent map[string]int // how often each refresh token came
	now  int            // requests at the server
	most int            // at once
	life time.Duration  // of tokens
	err  error          // of every request; nil: it works
	only string         // the refresh token whose requests alone have err; empty: all
}

func newPacedServer(pace time.Duration) *pacedServer {
	return &pacedServer{pace: pace, sent: map[string]int{}, life: time.Hour}
}

// Refresh implements vault.Refresher.
func (s *pacedServer) Refresh(ctx context.Context, old *oauth2.Token) (*oauth2.Token, error) {
	s.mu.Lock()
	s.sent[old.RefreshToken]++
	s.now++
	s.most = max(s.most, s.now)
	if s.free.Before(time.Now()) {
		s.free = time.Now()
	}
	s.free = s.free.Add(s.pace)
	answer, err := time.Until(s.free), s.err
	if s.only != "" && s.only != old.RefreshToken {
		err = nil
	}
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.now--
	}()
	select {
	case <-time.After(answer):
	case <-ctx.Done():
		err = tokenapi.WithOutcome(ctx.Err(), tokenapi.Outcome{Kind: tokenapi.Unanswered})
	}
	if err != nil {
		return nil, err
	}
	return &oauth2.Token{AccessToken: old.RefreshToken, RefreshToken: "next " + old.RefreshToken, Expiry: time.Now().Add(s.life)}, nil
}

func (s *pacedServer) set(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

// refuse makes the requests of one refresh token fail.
func (s *pacedServer) refuse(refreshToken string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.only, s.err = refreshToken, err
}

// wantEachOnce checks that n refresh tokens came, each once.
func (s *pacedServer) wantEachOnce(t *testing.T, n int) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	total, twice := 0, 0
	for _, times := range s.sent {
		total += times
		if times > 1 {
			twice++
		}
	}
	if total != n || twice != 0 {
		t.Errorf("the server received %d refresh requests, and %d tokens more than once, want %d and 0", total, twice, n)
	}
}

// A slowStore takes its time for each call.
type slowStore struct {
	store.Store
	latency time.Duration
}

func (s slowStore) Get(ctx context.Context, key string) (store.Record, error) {
	<-time.After(s.latency)
	return s.Store.Get(ctx, key)
}

func (s slowStore) Put(ctx context.Context, r store.Record) (uint64, error) {
	<-time.After(s.latency)
	return s.Store.Put(ctx, r)
}

// inColdStart runs f with vaults that share a store and a server, and as many
// entries, whose tokens have expired. Their keys are their numbers.
func inColdStart(t *testing.T, vaults, entries int, server *pacedServer, f func(*testing.T, []*vault.Vault)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		disk := memstore.New()
		defer func() { _ = disk.Close() }()
		key := vault.NewKey("a")
		var started []*vault.Vault
		for range vaults {
			v, err := vault.New(vault.Config{
				Store: slowStore{disk, 20 * time.Millisecond}, Keys: []vault.Key{key}, Refreshers: map[string]vault.Refresher{"spa": server},
			})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = v.Close(context.Background()) }()
			started = append(started, v)
		}
		var puts sync.WaitGroup
		for i := range entries {
			puts.Go(func() {
				k := strconv.Itoa(i)
				token := &oauth2.Token{AccessToken: "expired " + k, RefreshToken: k, Expiry: time.Now()}
				if err := started[0].Put(t.Context(), k, vault.Entry{Owner: k, Client: "spa", Token: token}); err != nil {
					t.Error(err)
				}
			})
		}
		puts.Wait()
		synctest.Wait()
		f(t, started)
	})
}

// served calls Token until it brings a token, as a caller that obeys Retry-After,
// and returns how long that took.
func served(t *testing.T, v *vault.Vault, key string) time.Duration {
	t.Helper()
	for began := time.Now(); ; {
		asked := time.Now()
		_, err := v.Token(t.Context(), key)
		if waited := time.Since(asked); waited > 21*time.Second {
			t.Errorf("Token(%q) = %v after %v, want an answer within MaxWait", key, err, waited)
		}
		if err == nil {
			return time.Since(began)
		}
		away, ok := errors.AsType[*vault.UnavailableError](err)
		if !ok {
			t.Errorf("Token(%q) = %v, want a token or an UnavailableError", key, err)
			return time.Since(began)
		}
		<-time.After(away.RetryAfter)
	}
}

// field 39, 40: three processes start with 5,000 expired sessions (1,000 without
// B2TRADER_TEST_LONG=1), each of which is asked for in all of them at once. Each
// refresh token is sent once, and all callers are served hardly later than the
// server's pace permits.
func TestColdStart(t *testing.T) {
	entries, pace := 1000, 25*time.Millisecond
	if os.Getenv("B2TRADER_TEST_LONG") == "1" {
		entries = 5000
	}
	server := newPacedServer(pace)
	inColdStart(t, 3, entries, server, func(t *testing.T, vaults []*vault.Vault) {
		var (
			callers sync.WaitGroup
			mu      sync.Mutex
			longest time.Duration
		)
		for i := range entries {
			for _, v := range vaults {
				callers.Go(func() {
					took := served(t, v, strconv.Itoa(i))
					mu.Lock()
					defer mu.Unlock()
					longest = max(longest, took)
				})
			}
		}
		callers.Wait()
		server.wantEachOnce(t, entries)
		if ideal := time.Duration(entries) * pace; longest > ideal*5/4 {
			t.Errorf("the last caller waited %v, want at most 1.25 times the %v of the server", longest, ideal)
		}
		t.Logf("longest wait %v, at most %d requests at once", longest, server.most)
	})
}

// field 49: after an outage of the server, no entry waits until its own pause is
// over.
func TestRecoveryEndsThePauses(t *testing.T) {
	const entries = 100
	for name, outage := range map[string]error{
		"503":      tokenapi.WithOutcome(errors.New("503"), tokenapi.Outcome{Kind: tokenapi.Transient}),
		"not sent": tokenapi.WithOutcome(errors.New("refused"), tokenapi.Outcome{Kind: tokenapi.NotSent}),
	} {
		server := newPacedServer(5 * time.Millisecond)
		inColdStart(t, 1, entries, server, func(t *testing.T, vaults []*vault.Vault) {
			server.set(outage)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			var callers sync.WaitGroup
			for i := range entries {
				callers.Go(func() {
					for ctx.Err() == nil {
						_, _ = vaults[0].Token(ctx, strconv.Itoa(i))
						<-time.After(time.Second)
					}
				})
			}
			callers.Wait()
			server.set(nil)
			began := time.Now()
			for i := range entries {
				callers.Go(func() {
					for errOf(vaults[0].Token(t.Context(), strconv.Itoa(i))) != nil {
						<-time.After(100 * time.Millisecond)
					}
				})
			}
			callers.Wait()
			if took := time.Since(began); took > 3*time.Second {
				t.Errorf("%s: the last entry has a token %v after the outage, want at most 3 s", name, took)
			}
		})
	}
}

// The pauses of an entry that the server fails for alone do not end so.
func TestRecoveryKeepsThePausesOfOne(t *testing.T) {
	server := newPacedServer(time.Millisecond)
	server.life = 4 * time.Second
	inColdStart(t, 1, 20, server, func(t *testing.T, vaults []*vault.Vault) {
		server.refuse("0", tokenapi.WithOutcome(errors.New("500"), tokenapi.Outcome{}))
		for range 600 {
			for i := range 20 {
				_, _ = vaults[0].Token(t.Context(), strconv.Itoa(i))
			}
			<-time.After(100 * time.Millisecond)
		}
		if n := server.sent["0"]; n > 8 {
			t.Errorf("%d requests in a minute, want at most 8", n)
		}
	})
}

// Nor do those that the server asked for.
func TestRecoveryKeepsRetryAfter(t *testing.T) {
	server := newPacedServer(time.Millisecond)
	inColdStart(t, 1, 11, server, func(t *testing.T, vaults []*vault.Vault) {
		server.set(tokenapi.WithOutcome(errors.New("503"), tokenapi.Outcome{RetryAfter: 30 * time.Second}))
		token := func(i int) error { return errOf(vaults[0].Token(t.Context(), strconv.Itoa(i))) }
		for i := range 10 {
			_ = token(i)
		}
		server.set(nil)
		if err := token(10); err != nil {
			t.Fatal(err)
		}
		for i := range 10 {
			if err := token(i); err == nil {
				t.Errorf("Token(%d) brought a token, want an error until 30 s have passed", i)
			}
		}
		<-time.After(30 * time.Second)
		for i := range 10 {
			if err := token(i); err != nil {
				t.Errorf("Token(%d) after 30 s = %v, want a token", i, err)
			}
		}
	})
}

// Close does not wait for renewals that have sent nothing.
func TestCloseEndsTheQueue(t *testing.T) {
	server := newPacedServer(100 * time.Millisecond)
	inColdStart(t, 1, 1000, server, func(t *testing.T, vaults []*vault.Vault) {
		var callers sync.WaitGroup
		for i := range 1000 {
			callers.Go(func() {
				_, err := vaults[0].Token(t.Context(), strconv.Itoa(i))
				if _, ok := errors.AsType[*vault.UnavailableError](err); err != nil && !ok {
					t.Errorf("Token = %v, want a token or an UnavailableError", err)
				}
			})
		}
		<-time.After(time.Second)
		began := time.Now()
		if err := vaults[0].Close(t.Context()); err != nil || time.Since(began) > 10*time.Second {
			t.Errorf("Close = %v after %v, want no error within 10 s", err, time.Since(began))
		}
		callers.Wait()
		server.mu.Lock()
		defer server.mu.Unlock()
		if len(server.sent) > 100 {
			t.Errorf("%d requests were sent, want only those under way at Close", len(server.sent))
		}
	})
}
