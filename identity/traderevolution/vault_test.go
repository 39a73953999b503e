package traderevolution_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/internal/vaulttest"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/traderevolution"
	"b2trader.identity.auth/identity/traderevolution/traderevolutiontest"
	"b2trader.identity.auth/identity/vault"
)

// A worker has a vault that keeps its token alive, on virtual time: under "keeper" by a Keeper, which has the password, and
// under "client" by the Client alone.
type worker struct {
	*vaulttest.Worker
	server *traderevolutiontest.Server
	client *traderevolution.Client
}

// atWork runs f with a worker whose Keeper has not signed in yet.
func atWork(t *testing.T, cfg traderevolutiontest.Config, f func(w *worker)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		server, client := inMemory(t, cfg)
		keeper, err := client.Keeper(tokenapi.Account{Login: login, Password: tokenapi.Fixed(password)})
		if err != nil {
			t.Fatal(err)
		}
		refreshers := map[string]vault.Refresher{"keeper": keeper, "client": client}
		w := vaulttest.New(t, refreshers, func() (signIns, renewals int) {
			return server.Count(traderevolutiontest.EndpointToken), server.Count(traderevolutiontest.EndpointRefresh)
		})
		w.Put("keeper", "keeper", keeper.FirstToken())
		f(&worker{w, server, client})
	})
}

// A day in tokens that live five minutes: one sign-in, a renewal whenever two thirds of a life have passed, and not a moment
// without a token.
func TestVaultRenewsBeforeExpiry(t *testing.T) {
	atWork(t, traderevolutiontest.Config{}, func(w *worker) {
		const day, every = 24 * time.Hour, 10 * time.Second
		for range day / every {
			w.Works("keeper")
			<-time.After(every)
		}
		w.Counts(1, int(day/(200*time.Second))-1)
	})
}

// Many callers, one request: for the first token, and for its successor.
func TestVaultAsksOnce(t *testing.T) {
	atWork(t, traderevolutiontest.Config{}, func(w *worker) {
		w.server.Inject(traderevolutiontest.EndpointToken, apitest.Fault{DelayAfter: 5 * time.Second})
		w.server.Inject(traderevolutiontest.EndpointRefresh, apitest.Fault{DelayAfter: 12 * time.Second})
		for renewals := range 2 {
			w.AllWork("keeper")
			w.Counts(1, renewals)
			<-time.After(301 * time.Second) // nobody asks meanwhile, and it expires
		}
	})
}

// The refresh token of a lost answer is spent: the vault asks once more, is refused, and the keeper signs in again.
func TestVaultSurvivesALostAnswer(t *testing.T) {
	atWork(t, traderevolutiontest.Config{}, func(w *worker) {
		w.Works("keeper")
		w.server.Inject(traderevolutiontest.EndpointRefresh, apitest.Fault{LoseAnswer: true})
		<-time.After(201 * time.Second)
		w.Works("keeper") // the old one, while the renewal goes on
		w.Counts(2, 2)
		<-time.After(100 * time.Second)
		w.Works("keeper")
		w.Counts(2, 2)
	})
	// Where refresh tokens work twice, the second request succeeds.
	atWork(t, traderevolutiontest.Config{ReuseRefreshTokens: true}, func(w *worker) {
		w.Put("client", "client", signIn(w, w.client))
		w.server.Inject(traderevolutiontest.EndpointRefresh, apitest.Fault{LoseAnswer: true})
		<-time.After(301 * time.Second)
		w.Works("client")
		w.Counts(1, 2)
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
			w.Put("client", "client", signIn(w, w.client))
			w.server.Inject(traderevolutiontest.EndpointRefresh, fault)
			for range 29 {
				<-time.After(10 * time.Second)
				w.Works("client")
			}
			<-time.After(20 * time.Second)
			if later := w.Waits("client"); !errors.Is(later, tokenapi.ErrUnavailable) || later.RetryAfter < time.Second {
				w.Fatalf("%s: got %v", name, later)
			}
			w.server.ClearFaults()
			<-time.After(21 * time.Second)
			w.Works("client")
			if n := w.server.Count(traderevolutiontest.EndpointToken); n != 1 {
				w.Errorf("%s: %d sign-ins", name, n)
			}
		})
	}
}

// A revoked refresh token ends the entry of a Client, for good and without more calls; a Keeper signs in again, and nobody
// waits for it.
func TestVaultRevoked(t *testing.T) {
	atWork(t, traderevolutiontest.Config{}, func(w *worker) {
		w.Put("client", "client", signIn(w, w.client))
		w.server.RevokeRefreshTokens()
		<-time.After(301 * time.Second)
		for range 5 {
			if _, err := w.Vault.Token(w.Context(), "client"); !errors.Is(err, vault.ErrEnded) {
				w.Fatalf("got %v", err)
			}
		}
		w.Counts(1, 1)
	})
	atWork(t, traderevolutiontest.Config{}, func(w *worker) {
		first := w.Works("keeper")
		w.server.RevokeRefreshTokens()
		<-time.After(201 * time.Second)
		w.Works("keeper")
		w.Counts(2, 1)
		if w.Works("keeper").AccessToken == first.AccessToken {
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
