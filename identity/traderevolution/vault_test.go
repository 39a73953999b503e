package traderevolution_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/traderevolution"
	"b2trader.identity.auth/identity/traderevolution/traderevolutiontest"
	"b2trader.identity.auth/identity/vault"
)

// A worker has a vault that keeps its token alive, on virtual time: under "keeper" by a Keeper, which has the password, and
// under "client" by the Client alone.
type worker struct {
	*testing.T
	server *traderevolutiontest.Server
	client *traderevolution.Client
	vault  *vault.Vault
}

// atWork runs f with a worker that has put nothing into its vault.
func atWork(t *testing.T, cfg traderevolutiontest.Config, f func(w *worker)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &worker{T: t}
		w.server, w.client = inMemory(t, cfg)
		keeper, err := w.client.Keeper(tokenapi.Account{Login: login, Password: tokenapi.Fixed(password)})
		if err != nil {
			t.Fatal(err)
		}
		entries := memstore.New()
		defer func() { _ = entries.Close() }()
		w.vault, err = vault.New(vault.Config{
			Store: entries, Keys: []vault.Key{vault.NewKey("k")},
			Refreshers: map[string]vault.Refresher{"keeper": keeper, "client": w.client},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := w.vault.Close(context.Background()); err != nil {
				t.Error(err)
			}
		}()
		w.put("keeper", keeper.FirstToken())
		f(w)
	})
}

// put has the refresher of that name keep token.
func (w *worker) put(refresher string, token *oauth2.Token) {
	w.Helper()
	entry := vault.Entry{Client: refresher, Token: token, Until: time.Now().AddDate(100, 0, 0)}
	if err := w.vault.Put(w.Context(), refresher, entry); err != nil {
		w.Fatal(err)
	}
}

// works fails unless there is a live token under key.
func (w *worker) works(key string) *oauth2.Token {
	w.Helper()
	token, err := w.vault.Token(w.Context(), key)
	if err != nil {
		w.Fatalf("after %d sign-ins and %d renewals: %v", w.signIns(), w.renewals(), err)
	}
	if !time.Now().Before(token.Expiry) {
		w.Fatal("the token has expired")
	}
	return token
}

func (w *worker) signIns() int  { return w.server.Count(traderevolutiontest.EndpointToken) }
func (w *worker) renewals() int { return w.server.Count(traderevolutiontest.EndpointRefresh) }

func (w *worker) counts(signIns, renewals int) {
	w.Helper()
	synctest.Wait()
	if w.signIns() != signIns || w.renewals() != renewals {
		w.Errorf("%d sign-ins and %d renewals, want %d and %d", w.signIns(), w.renewals(), signIns, renewals)
	}
}

// A day in tokens that live five minutes: one sign-in, a renewal whenever two thirds of a life have passed, and not a moment
// without a token.
func TestVaultRenewsBeforeExpiry(t *testing.T) {
	atWork(t, traderevolutiontest.Config{}, func(w *worker) {
		const day, every = 24 * time.Hour, 10 * time.Second
		for range day / every {
			w.works("keeper")
			<-time.After(every)
		}
		w.counts(1, int(day/(200*time.Second))-1)
	})
}

// Many callers, one request: for the first token, and for its successor.
func TestVaultAsksOnce(t *testing.T) {
	atWork(t, traderevolutiontest.Config{}, func(w *worker) {
		w.server.Inject(traderevolutiontest.EndpointToken, apitest.Fault{DelayAfter: 5 * time.Second})
		w.server.Inject(traderevolutiontest.EndpointRefresh, apitest.Fault{DelayAfter: 12 * time.Second})
		for renewals := range 2 {
			var all sync.WaitGroup
			var mu sync.Mutex
			got := map[string]int{} // callers by token, or by error
			for range 50 {
				all.Go(func() {
					token, err := w.vault.Token(w.Context(), "keeper")
					mu.Lock()
					defer mu.Unlock()
					if err != nil {
						got[err.Error()]++
						return
					}
					got[token.AccessToken]++
				})
			}
			all.Wait()
			if token := w.works("keeper"); got[token.AccessToken] != 50 {
				w.Errorf("the callers got %v", got)
			}
			w.counts(1, renewals)
			<-time.After(301 * time.Second) // nobody asks meanwhile, and it expires
		}
	})
}

// The refresh token of a lost answer is spent: the vault asks once more, is refused, and the keeper signs in again.
func TestVaultSurvivesALostAnswer(t *testing.T) {
	atWork(t, traderevolutiontest.Config{}, func(w *worker) {
		w.works("keeper")
		w.server.Inject(traderevolutiontest.EndpointRefresh, apitest.Fault{LoseAnswer: true})
		<-time.After(201 * time.Second)
		w.works("keeper") // the old one, while the renewal goes on
		w.counts(2, 2)
		<-time.After(100 * time.Second)
		w.works("keeper")
		w.counts(2, 2)
	})
	// Where refresh tokens work twice, the second request succeeds.
	atWork(t, traderevolutiontest.Config{ReuseRefreshTokens: true}, func(w *worker) {
		w.put("client", signIn(w, w.client))
		w.server.Inject(traderevolutiontest.EndpointRefresh, apitest.Fault{LoseAnswer: true})
		<-time.After(301 * time.Second)
		w.works("client")
		w.counts(1, 2)
	})
}

// While the server says 503 or 429 nothing ends: the old token serves as long as it lives, then the caller is told when to come
// back, and afterwards all goes on without a sign-in.
func TestVaultSurvivesAnOutage(t *testing.T) {
	for name, fault := range map[string]apitest.Fault{
		"503": {Status: 503, Times: -1},
		"429": {Status: 429, Times: -1, RetryAfter: "3", Body: []byte(`{"errorCode":"2.147.1.27"}`)},
	} {
		atWork(t, traderevolutiontest.Config{}, func(w *worker) {
			w.put("client", signIn(w, w.client))
			w.server.Inject(traderevolutiontest.EndpointRefresh, fault)
			for range 29 {
				<-time.After(10 * time.Second)
				w.works("client")
			}
			<-time.After(20 * time.Second)
			_, err := w.vault.Token(w.Context(), "client")
			later, ok := errors.AsType[*vault.UnavailableError](err)
			if !ok || !errors.Is(err, tokenapi.ErrUnavailable) || later.RetryAfter < time.Second {
				w.Fatalf("%s: got %v", name, err)
			}
			w.server.ClearFaults()
			<-time.After(21 * time.Second)
			w.works("client")
			if w.signIns() != 1 {
				w.Errorf("%s: it signed in again", name)
			}
		})
	}
}

// A revoked refresh token ends the entry of a Client, for good and without more calls; a Keeper signs in again, and nobody
// waits for it.
func TestVaultRevoked(t *testing.T) {
	atWork(t, traderevolutiontest.Config{}, func(w *worker) {
		w.put("client", signIn(w, w.client))
		w.server.RevokeRefreshTokens()
		<-time.After(301 * time.Second)
		for range 5 {
			if _, err := w.vault.Token(w.Context(), "client"); !errors.Is(err, vault.ErrEnded) {
				w.Fatalf("got %v", err)
			}
		}
		w.counts(1, 1)
	})
	atWork(t, traderevolutiontest.Config{}, func(w *worker) {
		first := w.works("keeper")
		w.server.RevokeRefreshTokens()
		<-time.After(201 * time.Second)
		w.works("keeper")
		w.counts(2, 1)
		if w.works("keeper").AccessToken == first.AccessToken {
			w.Error("the token was not renewed")
		}
	})
}

// A refresh token that has outlived its life is not sent: the keeper knows by refresh_expiry, which is of the Config's clock.
func TestKeeperKnowsWhenTheRefreshTokenEnds(t *testing.T) {
	fast := func(c *traderevolution.Config) {
		c.HTTP.Now = func() time.Time { return time.Now().Add(2 * time.Hour) }
	}
	inBubble(t, func(t *testing.T, server *traderevolutiontest.Server, client *traderevolution.Client) {
		keeper, err := client.Keeper(tokenapi.Account{Login: login, Password: tokenapi.Fixed(password)})
		if err != nil {
			t.Fatal(err)
		}
		token, err := keeper.Refresh(t.Context(), keeper.FirstToken())
		if err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Hour - 1)
		if token, err = keeper.Refresh(t.Context(), token); err != nil || server.Count(traderevolutiontest.EndpointRefresh) != 1 {
			t.Fatalf("got %v", err)
		}
		<-time.After(time.Hour)
		if _, err = keeper.Refresh(t.Context(), token); err != nil {
			t.Fatal(err)
		}
		if refreshes, signIns := server.Count(traderevolutiontest.EndpointRefresh), server.Count(traderevolutiontest.EndpointToken); refreshes != 1 || signIns != 2 {
			t.Errorf("%d refreshes and %d sign-ins, want 1 and 2", refreshes, signIns)
		}
	}, fast)
}

// A wrong password is tried seldom, so that the account is not locked.
func TestKeeperPausesAfterAWrongPassword(t *testing.T) {
	inBubble(t, func(t *testing.T, server *traderevolutiontest.Server, client *traderevolution.Client) {
		keeper, err := client.Keeper(tokenapi.Account{Login: login, Password: tokenapi.Fixed("wrong")})
		if err != nil {
			t.Fatal(err)
		}
		for range 240 {
			if _, err := keeper.Refresh(t.Context(), keeper.FirstToken()); !errors.Is(err, tokenapi.ErrBadCredentials) {
				t.Fatalf("got %v", err)
			}
			<-time.After(time.Second)
		}
		if n := server.Count(traderevolutiontest.EndpointToken); n != 1 {
			t.Errorf("%d attempts in four minutes", n)
		}
	})
}
