package b2binpay_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/b2binpay"
	"b2trader.identity.auth/identity/b2binpay/b2binpaytest"
	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/vault"
)

// A worker is a program that calls the API with the token of a vault, on virtual time.
type worker struct {
	*testing.T
	server *b2binpaytest.Server
	client *b2binpay.Client
	vault  *vault.Vault

	mu         sync.Mutex
	password   string
	suspicions int
}

func (w *worker) readPassword(context.Context) (tokenapi.Secret, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return tokenapi.NewSecret(w.password), nil
}

func (w *worker) setPassword(p string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.password = p
}

func (w *worker) suspects(context.Context, *tokenapi.Error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.suspicions++
}

// atWork runs f with a worker whose Keeper has not signed in yet.
func atWork(t *testing.T, cfg b2binpaytest.Config, f func(w *worker), changes ...func(*b2binpay.Config)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &worker{T: t, password: password}
		suspect := func(c *b2binpay.Config) { c.OnSuspicious = w.suspects }
		w.server, w.client = inMemory(t, cfg, append(changes, suspect)...)
		keeper, err := w.client.Keeper(tokenapi.Account{Login: login, Password: w.readPassword})
		if err != nil {
			t.Fatal(err)
		}
		w.open(keeper, keeper.FirstToken(), f)
	})
}

// open runs f with a vault that has one entry.
func (w *worker) open(r vault.Refresher, first *oauth2.Token, f func(w *worker)) {
	w.Helper()
	entries := memstore.New()
	defer func() { _ = entries.Close() }()
	var err error
	w.vault, err = vault.New(vault.Config{
		Store: entries, Keys: []vault.Key{vault.NewKey("k")}, Refreshers: map[string]vault.Refresher{"b2binpay": r},
	})
	if err != nil {
		w.Fatal(err)
	}
	defer func() {
		if err := w.vault.Close(context.Background()); err != nil {
			w.Error(err)
		}
	}()
	err = w.vault.Put(w.Context(), "worker", vault.Entry{Client: "b2binpay", Token: first, Until: time.Now().AddDate(100, 0, 0)})
	if err != nil {
		w.Fatal(err)
	}
	f(w)
}

// works fails unless the worker has a token that lives.
func (w *worker) works() *oauth2.Token {
	w.Helper()
	token, err := w.vault.Token(w.Context(), "worker")
	if err != nil {
		w.Fatalf("after %d sign-ins and %d refreshes: %v", w.signIns(), w.refreshes(), err)
	}
	if !time.Now().Before(token.Expiry) {
		w.Fatal("the token has expired")
	}
	return token
}

// waits fails unless the worker has no token, but may have one later.
func (w *worker) waits() {
	w.Helper()
	_, err := w.vault.Token(w.Context(), "worker")
	if _, ok := errors.AsType[*vault.UnavailableError](err); !ok {
		w.Fatalf("got %v, want an UnavailableError", err)
	}
}

func (w *worker) signIns() int   { return w.server.Count(b2binpaytest.EndpointToken) }
func (w *worker) refreshes() int { return w.server.Count(b2binpaytest.EndpointRefresh) }

func (w *worker) counts(signIns, refreshes, suspicions int) {
	w.Helper()
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.signIns() != signIns || w.refreshes() != refreshes || w.suspicions != suspicions {
		w.Errorf("%d sign-ins, %d refreshes, %d suspicions, want %d, %d, %d", w.signIns(), w.refreshes(), w.suspicions, signIns, refreshes, suspicions)
	}
}

// A day's work: one sign-in, and a refresh whenever two thirds of fifteen minutes, less the second that the Date header
// may be late, have passed.
func TestKeeperRefreshes(t *testing.T) {
	atWork(t, b2binpaytest.Config{}, func(w *worker) {
		for range 24 * 60 {
			w.works()
			<-time.After(time.Minute)
		}
		w.counts(1, 24*6-1, 0)
	})
}

// A renewal comes before the token expires, and nobody waits for it.
func TestKeeperRefreshesEarly(t *testing.T) {
	atWork(t, b2binpaytest.Config{}, func(w *worker) {
		first := w.works()
		<-time.After(11 * time.Minute)
		if w.works().AccessToken != first.AccessToken {
			t.Error("a caller waited for an early renewal")
		}
		synctest.Wait()
		if w.works().AccessToken == first.AccessToken {
			t.Error("no early renewal")
		}
		w.counts(1, 1, 0)
	})
}

// After a night without work the refresh token has expired, and is not even sent: step 4 of the article.
func TestKeeperSignsInAgainInTheMorning(t *testing.T) {
	atWork(t, b2binpaytest.Config{}, func(w *worker) {
		w.works()
		<-time.After(10 * time.Hour)
		w.works()
		w.counts(2, 0, 0)
	})
}

// The answer of a refresh is lost, so the refresh token is spent: the vault asks once more, is refused, and the Keeper signs in.
func TestKeeperSurvivesALostAnswer(t *testing.T) {
	atWork(t, b2binpaytest.Config{}, func(w *worker) {
		w.works()
		w.server.Inject(b2binpaytest.EndpointRefresh, apitest.Fault{LoseAnswer: true})
		<-time.After(20 * time.Minute)
		w.works()
		w.counts(2, 2, 1)
		<-time.After(20 * time.Minute)
		w.works()
		w.counts(2, 3, 1)
	})
}

func TestKeeperSurvivesALostRequest(t *testing.T) {
	atWork(t, b2binpaytest.Config{}, func(w *worker) {
		w.works()
		w.server.Inject(b2binpaytest.EndpointRefresh, apitest.Fault{LoseRequest: true})
		<-time.After(20 * time.Minute)
		w.works()
		w.counts(1, 2, 0)
	})
}

// req 55. An outage costs no sign-in: the old token serves while it lives, and the refresh token serves after the outage.
func TestKeeperSurvivesAnOutage(t *testing.T) {
	atWork(t, b2binpaytest.Config{}, func(w *worker) {
		first := w.works()
		w.server.Inject(b2binpaytest.EndpointRefresh, apitest.Fault{Status: 503, Times: -1})
		<-time.After(14 * time.Minute)
		if w.works().AccessToken != first.AccessToken {
			t.Error("the token changed in an outage")
		}
		<-time.After(2 * time.Minute)
		w.waits()
		w.server.ClearFaults()
		<-time.After(time.Minute)
		w.works()
		if synctest.Wait(); w.signIns() != 1 {
			t.Errorf("%d sign-ins", w.signIns())
		}
	})
}

// A revoked refresh token costs a sign-in and no session, and somebody hears of it.
func TestKeeperSurvivesARevocation(t *testing.T) {
	atWork(t, b2binpaytest.Config{}, func(w *worker) {
		w.works()
		w.server.RevokeRefreshTokens()
		<-time.After(20 * time.Minute)
		w.works()
		w.counts(2, 1, 1)
	})
}

// req 47
func TestKeeperRefreshesOnceForAll(t *testing.T) {
	atWork(t, b2binpaytest.Config{}, func(w *worker) {
		everybody := func() {
			var callers sync.WaitGroup
			for range 50 {
				callers.Go(func() {
					if _, err := w.vault.Token(w.Context(), "worker"); err != nil {
						w.Error(err)
					}
				})
			}
			callers.Wait()
		}
		everybody()
		w.counts(1, 0, 0)
		<-time.After(20 * time.Minute)
		everybody()
		w.counts(1, 1, 0)
	}, func(c *b2binpay.Config) { c.MaxUses = -1 })
}

// A password that is refused is not tried every ten seconds, but another one is.
func TestKeeperSparesTheAccount(t *testing.T) {
	atWork(t, b2binpaytest.Config{}, func(w *worker) {
		w.setPassword("wrong")
		for range 20 {
			w.waits()
			<-time.After(11 * time.Second)
		}
		if w.signIns() != 1 {
			t.Errorf("%d sign-ins with a wrong password", w.signIns())
		}
		w.setPassword(password)
		<-time.After(20 * time.Second)
		w.works()
		w.counts(2, 0, 0)
	})
}

// The vault renews before an access token has been used as often as the article allows, so that a server that counts has
// nothing to refuse.
func TestKeeperKeepsTheBudget(t *testing.T) {
	atWork(t, b2binpaytest.Config{MaxUses: 30}, func(w *worker) {
		api := &http.Client{Transport: &vault.Transport{Vault: w.vault, Key: "worker", Base: w.server.Transport()}}
		for range 200 {
			resp, err := api.Get(bubbleURL + b2binpaytest.APIPath)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
		}
		synctest.Wait()
		for i, r := range w.server.Requests(b2binpaytest.EndpointAPI) {
			if r.Status != http.StatusOK {
				t.Errorf("request %d: got %d", i, r.Status)
			}
		}
		if w.signIns() != 1 || w.refreshes() < 200/30 || w.refreshes() > 200/20 {
			t.Errorf("%d sign-ins and %d refreshes for 200 requests", w.signIns(), w.refreshes())
		}
	})
}

// A Client without a Keeper has no password: a refresh token that is refused is the end.
func TestClientInAVault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &worker{T: t}
		w.server, w.client = inMemory(t, b2binpaytest.Config{}, func(c *b2binpay.Config) { c.OnSuspicious = w.suspects })
		w.open(w.client, signIn(t, w.client), func(w *worker) {
			for range 3 {
				<-time.After(20 * time.Minute)
				w.works()
			}
			w.counts(1, 3, 0)
			w.server.RevokeRefreshTokens()
			<-time.After(20 * time.Minute)
			for range 3 {
				if _, err := w.vault.Token(w.Context(), "worker"); !errors.Is(err, vault.ErrEnded) {
					t.Errorf("got %v", err)
				}
			}
			w.counts(1, 4, 1)
		})
	})
}
