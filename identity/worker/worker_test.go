package worker_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/b2binpay"
	"b2trader.identity.auth/identity/b2binpay/b2binpaytest"
	"b2trader.identity.auth/identity/b2core"
	"b2trader.identity.auth/identity/b2core/b2coretest"
	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/internal/clienttest"
	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/traderevolution"
	"b2trader.identity.auth/identity/traderevolution/traderevolutiontest"
	"b2trader.identity.auth/identity/tradevest"
	"b2trader.identity.auth/identity/tradevest/tradevesttest"
	"b2trader.identity.auth/identity/vault"
	"b2trader.identity.auth/identity/worker"
)

const (
	host       = "https://api.example"
	backOffice = host + "/proftrading/rest" // of traderevolutiontest
)

// A system is a token API's test server: how a worker starts there, its
// resource, and how many sign-ins it got.
type system struct {
	start    func(worker.Config) (*worker.Worker, error)
	resource string
	signIns  func() int
	harm     func() // the server forgets all access and refresh tokens
}

// account is that of a test server.
func account(login, password string) tokenapi.Account {
	return tokenapi.Account{Login: login, Password: tokenapi.Fixed(password)}
}

// starting starts workers whose requests go to a test server.
func starting[A any](client worker.Client[A], account A, server http.RoundTripper) func(worker.Config) (*worker.Worker, error) {
	return func(c worker.Config) (*worker.Worker, error) {
		c.Transport = server
		return worker.New(client, account, c)
	}
}

// systems are the clients' test servers.
var systems = map[string]func(t *testing.T) system{
	"identity": func(t *testing.T) system {
		t.Helper()
		server := must(identitytest.New(identitytest.Config{}))(t)
		client := must(identity.New(identity.Config{
			URL: host, ClientID: identity.ClientLK, ClientSecret: tokenapi.NewSecret("lk-secret"), HTTP: tokenapi.HTTP{Transport: server.Transport()},
		}))(t)
		return system{
			start:    starting(client, account("machine@example.com", "machine-password"), server.Transport()),
			resource: host + "/frontoffice/api/v3/account",
			signIns:  func() int { return server.Grants(identitytest.GrantPassword) },
			harm: func() {
				server.ExpireTokens("machine@example.com")
				server.RevokeTokens("machine@example.com")
			},
		}
	},
	"b2core": func(t *testing.T) system {
		t.Helper()
		server := must(b2coretest.New(b2coretest.Config{}))(t)
		client := must(b2core.New(b2core.Config{URL: host, Bearer: server.Bearer, HTTP: tokenapi.HTTP{Transport: server.Transport()}}))(t)
		return system{
			start:    starting(client, tokenapi.Pace{}, server.Transport()),
			resource: host + b2coretest.APIPath,
			signIns:  func() int { return server.Count(b2coretest.EndpointAuth) },
			harm:     func() { server.ExpireTokens(); server.RevokeRefreshTokens() },
		}
	},
	"b2core session": func(t *testing.T) system {
		t.Helper()
		server := must(b2coretest.New(b2coretest.Config{}))(t)
		client := must(b2core.NewSessionClient(b2core.SessionConfig{URL: host, HTTP: tokenapi.HTTP{Transport: server.Transport()}}))(t)
		return system{
			start:    starting(client, account(b2coretest.SampleEmail, b2coretest.SamplePassword), server.Transport()),
			resource: host + "/api/v2/my/platforms",
			signIns:  func() int { return server.Count(b2coretest.EndpointSignIn) },
			harm:     func() { server.ExpireBearers(); server.RevokeSessionRefreshTokens() },
		}
	},
	"traderevolution": func(t *testing.T) system {
		t.Helper()
		server := must(traderevolutiontest.New(traderevolutiontest.Config{}))(t)
		client := must(traderevolution.New(traderevolution.Config{URL: backOffice, HTTP: tokenapi.HTTP{Transport: server.Transport()}}))(t)
		return system{
			start:    starting(client, account(traderevolutiontest.SampleLogin, traderevolutiontest.SamplePassword), server.Transport()),
			resource: backOffice + traderevolutiontest.APIPath,
			signIns:  func() int { return server.Count(traderevolutiontest.EndpointToken) },
			harm:     func() { server.ExpireTokens(); server.RevokeRefreshTokens() },
		}
	},
	"tradevest": func(t *testing.T) system {
		t.Helper()
		server := must(tradevesttest.New(tradevesttest.Config{}))(t)
		client := must(tradevest.New(tradevest.Config{
			URL: host, ClientID: tradevesttest.SampleClientID, ClientSecret: tokenapi.Fixed(tradevesttest.SampleClientSecret),
			RequestorID: "123e4567-e89b-12d3-a456-426614174000", HTTP: tokenapi.HTTP{Transport: server.Transport()},
		}))(t)
		return system{
			start:    starting(client, tokenapi.Pace{}, client.Transport(server.Transport())),
			resource: host + tradevesttest.APIPath,
			signIns:  func() int { return server.Count(tradevesttest.EndpointToken) },
			harm:     server.ExpireTokens,
		}
	},
	"b2binpay": func(t *testing.T) system {
		t.Helper()
		server := must(b2binpaytest.New(b2binpaytest.Config{}))(t)
		client := must(b2binpay.New(b2binpay.Config{URL: host, HTTP: tokenapi.HTTP{Transport: server.Transport()}}))(t)
		return system{
			start:    starting(client, account(b2binpaytest.SampleLogin, b2binpaytest.SamplePassword), server.Transport()),
			resource: host + b2binpaytest.APIPath,
			signIns:  func() int { return server.Count(b2binpaytest.EndpointToken) },
			harm:     func() { server.ExpireTokens(); server.RevokeRefreshTokens() },
		}
	},
	"b2binpay v3": func(t *testing.T) system {
		t.Helper()
		server := must(b2binpaytest.New(b2binpaytest.Config{Version: 3}))(t)
		client := must(b2binpay.NewV3Client(b2binpay.V3Config{
			URL: host, ClientID: b2binpaytest.SampleClientID, ClientSecret: tokenapi.Fixed(b2binpaytest.SampleClientSecret),
			HTTP: tokenapi.HTTP{Transport: server.Transport()},
		}))(t)
		return system{
			start:    starting(client, tokenapi.Pace{}, server.Transport()),
			resource: host + b2binpaytest.APIPath,
			signIns:  func() int { return server.Count(b2binpaytest.EndpointToken) },
			harm:     server.ExpireTokens,
		}
	},
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// inEachSystem runs f at each test server, on virtual time.
func inEachSystem(t *testing.T, f func(t *testing.T, s system)) {
	t.Helper()
	for name, open := range systems {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { f(t, open(t)) })
		})
	}
}

// startWorker starts a worker that is closed with the test.
func startWorker(t *testing.T, s system, c worker.Config) *worker.Worker {
	t.Helper()
	w := must(s.start(c))(t)
	t.Cleanup(func() {
		if err := w.Close(context.Background()); err != nil { // the test's context has ended
			t.Errorf("Close() = %v, want nil", err)
		}
	})
	return w
}

// works fails unless the API accepts a request of the worker.
func works(t *testing.T, s system, w *worker.Worker) {
	t.Helper()
	req := must(http.NewRequestWithContext(t.Context(), http.MethodGet, s.resource, nil))(t)
	resp, err := w.Client().Do(req)
	if err != nil {
		t.Errorf("GET %s = %v, want 200", s.resource, err)
		return
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	if _ = resp.Body.Close(); resp.StatusCode != http.StatusOK {
		t.Errorf("GET %s = %s, want 200", s.resource, resp.Status)
	}
}

// One line makes an http.Client of a client and an account. It works for longer
// than a vault's entry lives by default.
func TestOneProcess(t *testing.T) {
	inEachSystem(t, func(t *testing.T, s system) {
		w := startWorker(t, s, worker.Config{})
		if n := s.signIns(); n != 0 {
			t.Errorf("New made %d sign-ins, want none before the first request", n)
		}
		for range 5 {
			works(t, s, w)
			<-time.After(10 * time.Minute)
		}
		<-time.After(31 * 24 * time.Hour)
		works(t, s, w)
		s.harm()
		<-time.After(time.Minute)
		works(t, s, w)
		clienttest.Hides(t, w, must(w.Token(t.Context()))(t).AccessToken)
	})
}

// Workers that share a store sign in once, however many start at once.
func TestSharedStore(t *testing.T) {
	inEachSystem(t, func(t *testing.T, s system) {
		store := memstore.New()
		t.Cleanup(func() { _ = store.Close() })
		config := worker.Config{Name: "w", Store: store, Keys: []vault.Key{vault.NewKey("a")}}
		var workers []*worker.Worker
		for range 3 {
			workers = append(workers, startWorker(t, s, config))
		}
		var all sync.WaitGroup
		for i := range 12 {
			all.Go(func() { works(t, s, workers[i%3]) })
		}
		all.Wait()
		if n := s.signIns(); n != 1 {
			t.Errorf("three workers made %d sign-ins, want one", n)
		}
		var tokens []string
		for _, w := range workers {
			token := must(w.TokenSource(t.Context()).Token())(t)
			tokens = append(tokens, token.AccessToken)
		}
		if len(slices.Compact(tokens)) != 1 {
			t.Error("the workers have different tokens, want one for all")
		}
	})
}

// A worker outlives the loss of its entry. A deleted entry stays deleted.
func TestLostEntry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := systems["traderevolution"](t)
		first, second := memstore.New(), memstore.New()
		t.Cleanup(func() { _ = errors.Join(first.Close(), second.Close()) })
		keys := []vault.Key{vault.NewKey("a")}
		works(t, s, startWorker(t, s, worker.Config{Name: "w", Store: first, Keys: keys}))
		w := startWorker(t, s, worker.Config{Name: "w", Store: second, Keys: keys}) // empty, as after a loss
		works(t, s, w)

		v := must(vault.New(vault.Config{Store: second, Keys: keys, Refreshers: map[string]vault.Refresher{"w": refused{}}}))(t)
		t.Cleanup(func() { _ = v.Close(context.Background()) })
		if _, err := v.Delete(t.Context(), "w"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if token, err := w.Token(t.Context()); !errors.Is(err, vault.ErrNotFound) {
			t.Errorf("Token() after Delete = %v, %v, want %v", token != nil, err, vault.ErrNotFound)
		}
		req := must(http.NewRequestWithContext(t.Context(), http.MethodPost, s.resource, strings.NewReader("body")))(t)
		if _, err := w.Client().Do(req); !errors.Is(err, vault.ErrNotFound) {
			t.Errorf("Do() after Delete = %v, want %v", err, vault.ErrNotFound)
		}
	})
}

// refused is a Refresher whose server refuses.
type refused struct{}

func (refused) Refresh(context.Context, *oauth2.Token) (*oauth2.Token, error) {
	return nil, tokenapi.WithOutcome(errors.New("refused"), tokenapi.Outcome{Kind: tokenapi.Refused})
}

// A wrong password is known at the first call, and costs no more than one
// sign-in in the account's pause.
func TestWrongPassword(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := must(traderevolutiontest.New(traderevolutiontest.Config{}))(t)
		client := must(traderevolution.New(traderevolution.Config{URL: backOffice, HTTP: tokenapi.HTTP{Transport: server.Transport()}}))(t)
		w := must(worker.New(client, account(traderevolutiontest.SampleLogin, "wrong"), worker.Config{}))(t)
		t.Cleanup(func() { _ = w.Close(context.Background()) })
		for range 3 {
			if _, err := w.Token(t.Context()); !errors.Is(err, tokenapi.ErrBadCredentials) {
				t.Errorf("Token() = %v, want %v", err, tokenapi.ErrBadCredentials)
			}
			<-time.After(20 * time.Second)
		}
		if n := server.Count(traderevolutiontest.EndpointToken); n != 1 {
			t.Errorf("got %d sign-ins, want 1", n)
		}
	})
}

// A B2Core session that has ended does not end the worker: a new bearer does.
func TestNewBearer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := must(b2coretest.New(b2coretest.Config{}))(t)
		bearer := must(server.Bearer(t.Context(), nil))(t)
		var signedIn atomic.Bool
		client := must(b2core.New(b2core.Config{URL: host, HTTP: tokenapi.HTTP{Transport: server.Transport()},
			Bearer: func(context.Context, *oauth2.Token) (*oauth2.Token, error) {
				if !signedIn.Load() {
					return nil, vault.ErrEnded
				}
				return bearer, nil
			}}))(t)
		w := must(worker.New(client, tokenapi.Pace{}, worker.Config{Transport: server.Transport()}))(t)
		t.Cleanup(func() { _ = w.Close(context.Background()) })
		for range 3 {
			if _, err := w.Token(t.Context()); !errors.Is(err, tokenapi.ErrNotSignedIn) {
				t.Errorf("Token() without a session = %v, want %v", err, tokenapi.ErrNotSignedIn)
			}
			<-time.After(time.Minute)
		}
		signedIn.Store(true)
		if token, err := w.Token(t.Context()); err != nil || !token.Valid() {
			t.Errorf("Token() with a new bearer = %v, want a token", err)
		}
	})
}

// Two workers lead from an e-mail address and a password to B2Trader's API: the
// second one shows the first one's token. Neither ends, whatever is revoked.
func TestChain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := must(b2coretest.New(b2coretest.Config{}))(t)
		network := tokenapi.HTTP{Transport: server.Transport()}
		core := must(b2core.NewSessionClient(b2core.SessionConfig{URL: host, HTTP: network}))(t)
		session := must(worker.New(core, account(b2coretest.SampleEmail, b2coretest.SamplePassword), worker.Config{}))(t)
		trader := must(b2core.New(b2core.Config{URL: host, Bearer: session.Source(), HTTP: network}))(t)
		w := must(worker.New(trader, tokenapi.Pace{}, worker.Config{Transport: server.Transport()}))(t)
		t.Cleanup(func() { _ = errors.Join(w.Close(context.Background()), session.Close(context.Background())) })
		for name, harm := range map[string]func(){
			"nothing":           func() {},
			"a day later":       func() { <-time.After(25 * time.Hour) },
			"B2Trader's tokens": func() { server.ExpireTokens(); server.RevokeRefreshTokens() },
			"the access token":  func() { server.ExpireTokens(); server.RevokeRefreshTokens(); server.ExpireBearers() },
			"the whole session": func() { server.ExpireTokens(); server.RevokeRefreshTokens(); server.EndSession() },
		} {
			<-time.After(time.Minute) // beyond the pause between two sign-ins
			harm()
			resp, err := w.Client().Get(host + b2coretest.APIPath)
			if err != nil {
				t.Fatalf("after %s: got %v, want an answer", name, err)
			}
			if _ = resp.Body.Close(); resp.StatusCode != http.StatusOK {
				t.Errorf("after %s: got %s, want 200", name, resp.Status)
			}
		}
	})
}

func TestConfig(t *testing.T) {
	client := must(traderevolution.New(traderevolution.Config{URL: backOffice}))(t)
	good := account("a", "b")
	store := memstore.New()
	t.Cleanup(func() { _ = store.Close() })
	keys := []vault.Key{vault.NewKey("a")}
	for _, c := range []struct {
		account tokenapi.Account
		config  worker.Config
		wrong   []string
	}{
		{good, worker.Config{}, nil},
		{good, worker.Config{Name: "a", Store: store, Keys: keys}, nil},
		{tokenapi.Account{}, worker.Config{Keys: keys}, []string{"Account.Login", "Account.Password", "Store"}},
		{good, worker.Config{Store: store, Keys: keys}, []string{"Name"}},
		{good, worker.Config{Name: "a", Store: store}, []string{"Keys"}},
	} {
		w, err := worker.New(client, c.account, c.config)
		if got := clienttest.WrongFields(err); !slices.Equal(got, c.wrong) || (w == nil) != (err != nil) {
			t.Errorf("New(%+v) = %v, want an error about %q", c.config, err, c.wrong)
		}
		if w != nil {
			_ = w.Close(t.Context())
		}
	}
}
