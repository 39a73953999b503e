package b2binpay_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/b2binpay"
	"b2trader.identity.auth/identity/b2binpay/b2binpaytest"
	"b2trader.identity.auth/identity/internal/vaulttest"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/vault"
)

// A worker is a program that calls the API with the token of a vault, on virtual time.
type worker struct {
	*vaulttest.Worker
	server *b2binpaytest.Server
	client *b2binpay.Client

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

// atWork runs f with a worker that has a Keeper's token, which has not signed in yet, under "keeper", and may put one of the Client
// alone under "client".
func atWork(t *testing.T, cfg b2binpaytest.Config, f func(w *worker), changes ...func(*b2binpay.Config)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &worker{password: password}
		suspect := func(c *b2binpay.Config) { c.OnSuspicious = w.suspects }
		w.server, w.client = inMemory(t, cfg, append(changes, suspect)...)
		keeper, err := w.client.Keeper(tokenapi.Account{Login: login, Password: w.readPassword})
		if err != nil {
			t.Fatal(err)
		}
		refreshers := map[string]vault.Refresher{"keeper": keeper, "client": w.client}
		w.Worker = vaulttest.New(t, refreshers, func() (signIns, refreshes int) { return w.signIns(), w.refreshes() })
		w.Put("keeper", "keeper", keeper.FirstToken())
		f(w)
	})
}

func (w *worker) signIns() int   { return w.server.Count(b2binpaytest.EndpointToken) }
func (w *worker) refreshes() int { return w.server.Count(b2binpaytest.EndpointRefresh) }

func (w *worker) counts(signIns, refreshes, suspicions int) {
	w.Helper()
	w.Counts(signIns, refreshes)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.suspicions != suspicions {
		w.Errorf("%d suspicions, want %d", w.suspicions, suspicions)
	}
}

// A day's work: one sign-in, and a refresh whenever two thirds of fifteen minutes, less the second that the Date header
// may be late, have passed.
func TestKeeperRefreshes(t *testing.T) {
	atWork(t, b2binpaytest.Config{}, func(w *worker) {
		for range 24 * 60 {
			w.Works("keeper")
			<-time.After(time.Minute)
		}
		w.counts(1, 24*6-1, 0)
	})
}

// A renewal comes before the token expires, and nobody waits for it.
func TestKeeperRefreshesEarly(t *testing.T) {
	atWork(t, b2binpaytest.Config{}, func(w *worker) {
		first := w.Works("keeper")
		<-time.After(11 * time.Minute)
		if w.Works("keeper").AccessToken != first.AccessToken {
			t.Error("a caller waited for an early renewal")
		}
		synctest.Wait()
		if w.Works("keeper").AccessToken == first.AccessToken {
			t.Error("no early renewal")
		}
		w.counts(1, 1, 0)
	})
}

// After a night without work the refresh token has expired, and is not even sent: step 4 of the article.
func TestKeeperSignsInAgainInTheMorning(t *testing.T) {
	atWork(t, b2binpaytest.Config{}, func(w *worker) {
		w.Works("keeper")
		<-time.After(10 * time.Hour)
		w.Works("keeper")
		w.counts(2, 0, 0)
	})
}

// The answer of a refresh is lost, so the refresh token is spent: the vault asks once more, is refused, and the Keeper signs in.
func TestKeeperSurvivesALostAnswer(t *testing.T) {
	atWork(t, b2binpaytest.Config{}, func(w *worker) {
		w.Works("keeper")
		w.server.Inject(b2binpaytest.EndpointRefresh, apitest.Fault{LoseAnswer: true})
		<-time.After(20 * time.Minute)
		w.Works("keeper")
		w.counts(2, 2, 1)
		<-time.After(20 * time.Minute)
		w.Works("keeper")
		w.counts(2, 3, 1)
	})
}

func TestKeeperSurvivesALostRequest(t *testing.T) {
	atWork(t, b2binpaytest.Config{}, func(w *worker) {
		w.Works("keeper")
		w.server.Inject(b2binpaytest.EndpointRefresh, apitest.Fault{LoseRequest: true})
		<-time.After(20 * time.Minute)
		w.Works("keeper")
		w.counts(1, 2, 0)
	})
}

// req 55. An outage costs no sign-in: the old token serves while it lives, and the refresh token serves after the outage.
func TestKeeperSurvivesAnOutage(t *testing.T) {
	atWork(t, b2binpaytest.Config{}, func(w *worker) {
		first := w.Works("keeper")
		w.server.Inject(b2binpaytest.EndpointRefresh, apitest.Fault{Status: 503, Times: -1})
		<-time.After(14 * time.Minute)
		if w.Works("keeper").AccessToken != first.AccessToken {
			t.Error("the token changed in an outage")
		}
		<-time.After(2 * time.Minute)
		_ = w.Waits("keeper")
		w.server.ClearFaults()
		<-time.After(time.Minute)
		w.Works("keeper")
		if synctest.Wait(); w.signIns() != 1 {
			t.Errorf("%d sign-ins", w.signIns())
		}
	})
}

// A revoked refresh token costs a sign-in and no session, and somebody hears of it.
func TestKeeperSurvivesARevocation(t *testing.T) {
	atWork(t, b2binpaytest.Config{}, func(w *worker) {
		w.Works("keeper")
		w.server.RevokeRefreshTokens()
		<-time.After(20 * time.Minute)
		w.Works("keeper")
		w.counts(2, 1, 1)
	})
}

// req 47
func TestKeeperRefreshesOnceForAll(t *testing.T) {
	atWork(t, b2binpaytest.Config{}, func(w *worker) {
		w.AllWork("keeper")
		w.counts(1, 0, 0)
		<-time.After(20 * time.Minute)
		w.AllWork("keeper")
		w.counts(1, 1, 0)
	}, func(c *b2binpay.Config) { c.MaxUses = -1 })
}

// A password that is refused is not tried every ten seconds, but another one is.
func TestKeeperSparesTheAccount(t *testing.T) {
	atWork(t, b2binpaytest.Config{}, func(w *worker) {
		w.setPassword("wrong")
		for range 20 {
			_ = w.Waits("keeper")
			<-time.After(11 * time.Second)
		}
		if w.signIns() != 1 {
			t.Errorf("%d sign-ins with a wrong password", w.signIns())
		}
		w.setPassword(password)
		<-time.After(20 * time.Second)
		w.Works("keeper")
		w.counts(2, 0, 0)
	})
}

// The vault renews before an access token has been used as often as the article allows, so that a server that counts has
// nothing to refuse.
func TestKeeperKeepsTheBudget(t *testing.T) {
	atWork(t, b2binpaytest.Config{MaxUses: 30}, func(w *worker) {
		api := &http.Client{Transport: &vault.Transport{Vault: w.Vault, Key: "keeper", Base: w.server.Transport()}}
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
	atWork(t, b2binpaytest.Config{}, func(w *worker) {
		w.Put("client", "client", signIn(w, w.client))
		for range 3 {
			<-time.After(20 * time.Minute)
			w.Works("client")
		}
		w.counts(1, 3, 0)
		w.server.RevokeRefreshTokens()
		<-time.After(20 * time.Minute)
		for range 3 {
			if _, err := w.Vault.Token(w.Context(), "client"); !errors.Is(err, vault.ErrEnded) {
				t.Errorf("got %v", err)
			}
		}
		w.counts(1, 4, 1)
	})
}

// A refresh token that has outlived its life is not sent: the Keeper knows by refresh_expiry, which is of the Config's clock.
func TestKeeperKnowsWhenTheRefreshTokenEnds(t *testing.T) {
	fast := func(c *b2binpay.Config) {
		c.HTTP.Now = func() time.Time { return time.Now().Add(2 * time.Hour) }
	}
	inBubble(t, b2binpaytest.Config{}, func(t *testing.T, server *b2binpaytest.Server, client *b2binpay.Client) {
		keeper, err := client.Keeper(tokenapi.Account{Login: login, Password: tokenapi.Fixed(password)})
		if err != nil {
			t.Fatal(err)
		}
		token := keeper.FirstToken()
		for _, step := range []struct {
			wait               time.Duration
			signIns, refreshes int
		}{{0, 1, 0}, {6*time.Hour - 1, 1, 1}, {6 * time.Hour, 2, 1}} {
			<-time.After(step.wait)
			if token, err = keeper.Refresh(t.Context(), token); err != nil {
				t.Fatalf("after %v: %v", step.wait, err)
			}
			if s, r := server.Count(b2binpaytest.EndpointToken), server.Count(b2binpaytest.EndpointRefresh); s != step.signIns || r != step.refreshes {
				t.Errorf("after %v: %d sign-ins and %d refreshes, want %d and %d", step.wait, s, r, step.signIns, step.refreshes)
			}
		}
	}, fast)
}
