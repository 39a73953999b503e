package b2binpay_test

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
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

// platform has a Keeper, one with a wrong password, and the Client alone.
func platform(cfg b2binpaytest.Config, changes ...func(*b2binpay.Config)) func(t *testing.T) vaulttest.Platform {
	return func(t *testing.T) vaulttest.Platform {
		t.Helper()
		server, client := inMemory(t, cfg, changes...)
		keeper := func(password string) vault.Refresher {
			keeper, err := client.Keeper(tokenapi.Account{Login: login, Password: tokenapi.Fixed(password)})
			if err != nil {
				t.Fatal(err)
			}
			return keeper
		}
		return vaulttest.Platform{
			Server: server.Server, SignIn: b2binpaytest.EndpointToken, Renew: b2binpaytest.EndpointRefresh,
			Refreshers: map[string]vault.Refresher{"main": keeper(password), "wrong": keeper("wrong"), "client": client},
		}
	}
}

func TestVault(t *testing.T) {
	unlimited := func(c *b2binpay.Config) { c.MaxUses = -1 }
	vaulttest.Suite{Open: platform(b2binpaytest.Config{}, unlimited), Life: 15 * time.Minute, Renewals: 24*6 - 1, Faults: map[string]vaulttest.Recovery{
		"lost request": {Fault: apitest.Fault{LoseRequest: true}, SignIns: 1, Renewals: 2},
		"lost answer":  {Fault: apitest.Fault{LoseAnswer: true}, SignIns: 2, Renewals: 2}, // the refresh token is spent: a retry, then a sign-in
		"503":          {Fault: apitest.Fault{Status: 503}, SignIns: 1, Renewals: 2},
		"429":          {Fault: apitest.Fault{Status: 429, RetryAfter: "3"}, SignIns: 1, Renewals: 2},
		"refused":      {Fault: apitest.Fault{Status: 401}, SignIns: 2, Renewals: 1},
	}}.Run(t)
}

func TestKeeperSendsNoExpiredRefreshToken(t *testing.T) {
	vaulttest.RefreshTokenExpires(t, 6*time.Hour, platform(b2binpaytest.Config{}, func(c *b2binpay.Config) {
		c.HTTP.Now = func() time.Time { return time.Now().Add(2 * time.Hour) }
	}))
}

// The vault renews before an access token is used up (the article allows 30 to
// 40 requests).
func TestVaultRenewsBeforeMaxUses(t *testing.T) {
	vaulttest.Work(t, platform(b2binpaytest.Config{MaxUses: 30}), func(w *vaulttest.Worker, p vaulttest.Platform) {
		api := &http.Client{Transport: &vault.Transport{Vault: w.Vault, Key: "main", Base: p.Server.Transport()}}
		for range 200 {
			resp, err := api.Get(bubbleURL + b2binpaytest.APIPath)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
		}
		synctest.Wait()
		for i, r := range p.Server.Requests(b2binpaytest.EndpointAPI) {
			if r.Status != http.StatusOK {
				t.Errorf("request %d: got %d, want 200", i, r.Status)
			}
		}
		if s, r := p.Server.Count(p.SignIn), p.Server.Count(p.Renew); s != 1 || r < 200/30 || r > 200/20 {
			t.Errorf("got %d sign-ins and %d refreshes for 200 requests, want 1 and 6 to 10", s, r)
		}
	})
}

// A Client without a Keeper has no password: a refused refresh token ends its
// entry, and OnSuspicious receives the refusal once.
func TestVaultEndsWithTheRefreshToken(t *testing.T) {
	var suspicions atomic.Int32
	suspect := func(c *b2binpay.Config) {
		c.OnSuspicious = func(context.Context, *tokenapi.Error) { suspicions.Add(1) }
	}
	vaulttest.Work(t, platform(b2binpaytest.Config{}, suspect), func(w *vaulttest.Worker, p vaulttest.Platform) {
		client, _ := p.Refreshers["client"].(*b2binpay.Client)
		w.Put("client", "client", signIn(w, client))
		<-time.After(20 * time.Minute)
		w.Works("client")
		p.Server.Inject(p.Renew, apitest.Fault{Status: 401})
		<-time.After(20 * time.Minute)
		for range 3 {
			if _, err := w.Vault.Token(w.Context(), "client"); !errors.Is(err, vault.ErrEnded) {
				t.Errorf("got %v, want ErrEnded", err)
			}
		}
		w.Counts(1, 2)
		if n := suspicions.Load(); n != 1 {
			t.Errorf("OnSuspicious received %d refusals, want 1", n)
		}
	})
}
