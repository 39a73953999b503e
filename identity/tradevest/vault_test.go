package tradevest_test

import (
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/internal/vaulttest"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/tradevest"
	"b2trader.identity.auth/identity/tradevest/tradevesttest"
	"b2trader.identity.auth/identity/vault"
)

// A worker calls the API by a Keeper's tokens, on virtual time.
type worker struct {
	*vaulttest.Worker
	server *tradevesttest.Server
	secret *variableSecret
	api    *http.Client
}

// atWork runs f with a worker that has not signed in.
func atWork(t *testing.T, config tradevesttest.Config, f func(w *worker)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &worker{server: newServer(t, config), secret: &variableSecret{value: tradevesttest.SampleClientSecret}}
		client := newClient(t, w.server, withSecret(w.secret))
		w.Worker = vaulttest.New(t, map[string]vault.Refresher{"tradevest": byKeeper(t, client)}, func() (signIns, renewals int) {
			return w.server.Count(tradevesttest.EndpointToken), 0
		})
		w.Put("worker", "tradevest", tokenapi.FirstToken())
		w.api = &http.Client{Transport: client.Transport(&vault.Transport{Vault: w.Vault, Key: "worker", Base: w.server.Transport()})}
		f(w)
	})
}

// works fails unless the API accepts the worker's call.
func (w *worker) works() {
	w.Helper()
	resp, err := w.api.Get("https://tvda-api.platform-test.tradevest.ai" + tradevesttest.APIPath)
	if err != nil {
		w.Fatalf("got %v, want 200", err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		w.Fatalf("got %s, want 200", resp.Status)
	}
}

// A token that the API refuses is replaced, and the call repeated with the new
// one, whatever life the answer promised.
func TestTokenEndsEarly(t *testing.T) {
	atWork(t, tradevesttest.Config{}, func(w *worker) {
		w.server.Inject(tradevesttest.EndpointToken, apitest.Fault{Answer: func(f map[string]any) { f["expires_in"] = 1 << 20 }})
		w.works()
		<-time.After(time.Hour) // it has expired at the server
		w.works()
		w.Counts(2, 0)
		<-time.After(time.Minute)
		w.server.ExpireTokens()
		w.works()
		w.Counts(3, 0)
		calls := w.server.Requests(tradevesttest.EndpointAPI)
		if len(calls) != 5 || calls[1].Status != 401 || calls[2].Status != 200 {
			t.Errorf("the API got %d calls, want 5 with a 401 before the third", len(calls))
		}
		for i, call := range calls {
			if got := call.Header.Values("Requestor-ID"); len(got) != 1 || got[0] != someone {
				t.Errorf("call %d has the Requestor-ID %q, want %s", i, got, someone)
			}
		}
	})
}

// The old token serves while the secret is refused, which is tried once in five
// minutes. A new secret is tried at once (req 23).
func TestSecretRotated(t *testing.T) {
	atWork(t, tradevesttest.Config{}, func(w *worker) {
		w.works()
		w.server.SetClientSecret("another")
		<-time.After(41 * time.Minute) // the renewal is refused
		w.works()
		w.Counts(2, 0)
		for range 60 * 2 {
			<-time.After(time.Second)
			w.works()
		}
		w.Counts(2, 0)
		w.secret.set("another", nil)
		<-time.After(21 * time.Second)
		w.works()
		w.Counts(3, 0)
	})
}

// A Keeper spaces sign-ins by the Config's clock and at the given pace.
func TestKeeper(t *testing.T) {
	now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	server, client := start(t, func(c *tradevest.Config) { c.HTTP.Now = func() time.Time { return now } })
	keeper, err := client.Keeper(tokenapi.Pace{Interval: 20 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	refresh := func() (*oauth2.Token, error) {
		return keeper.Refresh(t.Context(), &oauth2.Token{RefreshToken: "not of this API"})
	}
	if token, err := refresh(); err != nil || !token.Expiry.Equal(now.Add(time.Hour)) {
		t.Errorf("Refresh = %v, %v, want a token for an hour", token, err)
	}
	_, err = refresh()
	if paused, ok := errors.AsType[*tokenapi.PausedError](err); !ok || paused.RetryAfter != 20*time.Second || paused.System != "tradevest" {
		t.Errorf("Refresh at once = %v, want a pause of 20 s", err)
	}
	now = now.Add(20 * time.Second)
	if _, err = refresh(); err != nil {
		t.Errorf("Refresh after the pause = %v, want a token", err)
	}
	if n := server.Count(tradevesttest.EndpointToken); n != 2 {
		t.Errorf("got %d sign-ins, want 2", n)
	}
}
