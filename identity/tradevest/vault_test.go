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

// A worker calls the API for as long as it runs, on virtual time.
type worker struct {
	*vaulttest.Worker
	server *tradevesttest.Server
	secret *aSecret
	api    *http.Client
}

// refresher says what renews the worker's token.
type refresher func(*testing.T, *tradevest.Client) vault.Refresher

func byKeeper(t *testing.T, client *tradevest.Client) vault.Refresher {
	t.Helper()
	keeper, err := client.Keeper(tokenapi.Pace{})
	if err != nil {
		t.Fatal(err)
	}
	return keeper
}

func byClient(_ *testing.T, client *tradevest.Client) vault.Refresher { return client }

// atWork runs f with a worker that has not signed in yet.
func atWork(t *testing.T, config tradevesttest.Config, by refresher, f func(w *worker)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &worker{server: newServer(t, config), secret: &aSecret{value: tradevesttest.SampleClientSecret}}
		client := newClient(t, w.server, withSecret(w.secret))
		w.Worker = vaulttest.New(t, map[string]vault.Refresher{"tradevest": by(t, client)}, func() (signIns, renewals int) { return w.signIns(), 0 })
		w.Put("worker", "tradevest", tokenapi.FirstToken())
		bearer := &vault.Transport{Vault: w.Vault, Key: "worker", Base: w.server.Transport()}
		w.api = &http.Client{Transport: client.Transport(bearer)}
		f(w)
	})
}

// works fails unless the API accepts the worker's call.
func (w *worker) works() {
	w.Helper()
	resp, err := w.api.Get("https://tvda-api.platform-test.tradevest.ai" + tradevesttest.APIPath)
	if err != nil {
		w.Fatalf("after %d sign-ins: %v", w.signIns(), err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		w.Fatalf("after %d sign-ins: %s", w.signIns(), resp.Status)
	}
}

func (w *worker) signIns() int { return w.server.Count(tradevesttest.EndpointToken) }

// A day of work, a call each minute: one sign-in at the start, one whenever two thirds of a token's hour have passed, and no
// call that waits or fails.
func TestDay(t *testing.T) {
	for name, by := range map[string]refresher{"a Keeper": byKeeper, "the Client": byClient} {
		atWork(t, tradevesttest.Config{}, by, func(w *worker) {
			for range 24 * 60 {
				began := time.Now()
				w.works()
				if waited := time.Since(began); waited != 0 {
					t.Fatalf("%s: a call waited %v", name, waited)
				}
				<-time.After(time.Minute)
			}
			w.Counts(24*60/40, 0)
			if n := w.server.Count(tradevesttest.EndpointAPI); n != 24*60 {
				t.Errorf("%s: %d calls reached the API: some were repeated", name, n)
			}
		})
	}
}

// However many ask at once, for the first token or for a later one, there is one sign-in.
func TestOneSignInForAll(t *testing.T) {
	atWork(t, tradevesttest.Config{}, byKeeper, func(w *worker) {
		for _, step := range []struct {
			wait    time.Duration
			signIns int
		}{{0, 1}, {41 * time.Minute, 2}, {2 * time.Hour, 3}} {
			<-time.After(step.wait)
			w.server.Inject(tradevesttest.EndpointToken, apitest.Fault{DelayAfter: 2 * time.Second})
			w.AllWork("worker")
			<-time.After(3 * time.Second)
			w.Counts(step.signIns, 0)
		}
	})
}

// What goes wrong with a renewal is cured before the token ends, and nobody notices.
func TestRenewalSurvives(t *testing.T) {
	for name, c := range map[string]struct {
		fault   apitest.Fault
		by      refresher
		signIns int // the first, the one that fails, and as many as it takes
	}{
		"a lost request":              {apitest.Fault{LoseRequest: true}, byKeeper, 3},
		"a lost answer":               {apitest.Fault{LoseAnswer: true}, byKeeper, 3},
		"a lost answer, by Client":    {apitest.Fault{LoseAnswer: true}, byClient, 3},
		"a 503":                       {apitest.Fault{Status: 503, RetryAfter: "60"}, byKeeper, 3},
		"a 503, by Client":            {apitest.Fault{Status: 503, RetryAfter: "60"}, byClient, 3},
		"a 429":                       {apitest.Fault{Status: 429, RetryAfter: "60"}, byKeeper, 3},
		"an answer that takes long":   {apitest.Fault{DelayAfter: 50 * time.Second}, byKeeper, 2},
		"an answer that takes longer": {apitest.Fault{DelayAfter: time.Hour}, byKeeper, 3},
		"an answer that is none":      {apitest.Fault{ContentType: "text/html"}, byKeeper, 3},
		"a refusal for a moment":      {apitest.Fault{Status: 400, Body: []byte(`{"error":"invalid_client"}`)}, byKeeper, 3},
		"no access for a moment":      {apitest.Fault{Status: 400, Body: []byte(`{"error":"unauthorized_client"}`)}, byKeeper, 3},
	} {
		atWork(t, tradevesttest.Config{}, c.by, func(w *worker) {
			w.works()
			w.server.Inject(tradevesttest.EndpointToken, c.fault)
			first := w.Works("worker")
			for range 60 * 60 / 5 {
				<-time.After(5 * time.Second)
				w.works()
			}
			if w.Works("worker").AccessToken == first.AccessToken {
				t.Errorf("%s: the token was not renewed", name)
			}
			if n := w.signIns(); n != c.signIns {
				t.Errorf("%s: %d sign-ins, want %d", name, n, c.signIns)
			}
		})
	}
}

// While the server is down for longer than the token lives, calls fail, the server is not flooded, and work goes on by
// itself afterwards.
func TestServerDown(t *testing.T) {
	atWork(t, tradevesttest.Config{}, byKeeper, func(w *worker) {
		w.works()
		w.server.Inject(tradevesttest.EndpointToken, apitest.Fault{Times: -1, Status: 503})
		<-time.After(time.Hour)
		before := w.signIns()
		for range 600 {
			if later := w.Waits("worker"); !errors.Is(later, tokenapi.ErrUnavailable) {
				t.Fatalf("the reason is not told: %v", later)
			}
			<-time.After(time.Second)
		}
		if n := w.signIns() - before; n < 30 || n > 61 {
			t.Errorf("%d sign-ins in ten minutes, want one in 10 to 20 seconds", n)
		}
		w.server.ClearFaults()
		<-time.After(21 * time.Second)
		w.works()
	})
}

// A token that the API does not accept any more is followed by another, and the call is repeated with it; also where the
// answer had promised it an absurd life.
func TestTokenEndsEarly(t *testing.T) {
	atWork(t, tradevesttest.Config{}, byKeeper, func(w *worker) {
		w.server.Inject(tradevesttest.EndpointToken, apitest.Fault{Answer: func(f map[string]any) { f["expires_in"] = 1 << 40 }})
		w.works()
		<-time.After(time.Hour) // at the server it has ended
		w.works()
		w.Counts(2, 0)
		<-time.After(time.Minute)
		w.server.ExpireTokens()
		w.works()
		w.Counts(3, 0)
		calls := w.server.Requests(tradevesttest.EndpointAPI)
		if len(calls) != 5 || calls[1].Status != 401 || calls[2].Status != 200 {
			t.Errorf("%d calls reached the API", len(calls))
		}
		for i, call := range calls {
			if got := call.Header.Values("Requestor-ID"); len(got) != 1 || got[0] != someone {
				t.Errorf("call %d says that %q is acting", i, got)
			}
		}
	})
}

// req 23: the secret is rotated. The old token serves meanwhile; the new secret is tried as soon as there is one, though the
// old one was refused and is left alone.
func TestSecretRotated(t *testing.T) {
	atWork(t, tradevesttest.Config{}, byKeeper, func(w *worker) {
		w.works()
		w.server.SetClientSecret("another")
		<-time.After(41 * time.Minute) // the renewal is refused
		w.works()
		w.Counts(2, 0)
		for range 60 * 2 { // the secret is left alone for five minutes
			<-time.After(time.Second)
			w.works()
		}
		w.Counts(2, 0)
		w.secret.set("another", nil)
		<-time.After(21 * time.Second)
		w.works()
		w.Counts(3, 0)
		first := w.Works("worker")
		<-time.After(41 * time.Minute)
		w.works()
		w.Counts(4, 0)
		if w.Works("worker").AccessToken == first.AccessToken {
			t.Error("the token was not renewed")
		}
	})
}

// A secret that is refused for good is tried ever more seldom, however often the worker asks, so that the account is not locked.
func TestSecretRefused(t *testing.T) {
	atWork(t, tradevesttest.Config{ClientSecret: "another"}, byKeeper, func(w *worker) {
		for range int(4 * time.Hour / time.Second) {
			later := w.Waits("worker")
			if !errors.Is(later, tokenapi.ErrBadCredentials) {
				t.Fatalf("the reason is not told: %v", later)
			}
			<-time.After(time.Second)
		}
		w.Counts(7, 0) // at 0 s, and after 5, 10, 20, 40, 60, 60 minutes
	})
}

// Without the secret's file the worker waits, and says why.
func TestSecretMissing(t *testing.T) {
	atWork(t, tradevesttest.Config{}, byKeeper, func(w *worker) {
		gone := errors.New("the file is gone")
		w.secret.set("", gone)
		if later := w.Waits("worker"); !errors.Is(later, gone) {
			t.Errorf("got %v", later)
		}
		w.Counts(0, 0)
		w.secret.set(tradevesttest.SampleClientSecret, nil)
		<-time.After(2 * time.Second)
		w.works()
		w.Counts(1, 0)
		if w.secret.asked != 2 {
			t.Errorf("the secret was asked for %d times, want once without it and once with", w.secret.asked)
		}
	})
}

// A Keeper alone: sign-ins are spaced by our clock, and a refused secret is told from a server that is away.
func TestKeeper(t *testing.T) {
	now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	server, client := start(t, func(c *tradevest.Config) { c.HTTP.Now = func() time.Time { return now } })
	keeper, err := client.Keeper(tokenapi.Pace{})
	if err != nil {
		t.Fatal(err)
	}
	refresh := func() (*oauth2.Token, error) {
		return keeper.Refresh(t.Context(), &oauth2.Token{RefreshToken: "not of this API"})
	}
	if token, err := refresh(); err != nil || !token.Expiry.Equal(now.Add(time.Hour)) {
		t.Errorf("got %v, %v", token, err)
	}
	_, err = refresh()
	if paused, ok := errors.AsType[*tokenapi.PausedError](err); !ok || paused.RetryAfter != 10*time.Second || paused.System != "tradevest" {
		t.Errorf("at once: got %v", err)
	}
	now = now.Add(10 * time.Second)
	server.Inject(tradevesttest.EndpointToken, apitest.Fault{Status: 503})
	_, err = refresh()
	wantError(t, err, tokenapi.ErrUnavailable)
	now = now.Add(10 * time.Second)
	server.Inject(tradevesttest.EndpointToken, apitest.Fault{Status: 401})
	_, err = refresh()
	wantError(t, err, tokenapi.ErrBadCredentials)
	now = now.Add(10 * time.Second)
	_, err = refresh()
	if _, ok := errors.AsType[*tokenapi.PausedError](err); !ok || !errors.Is(err, tokenapi.ErrBadCredentials) {
		t.Errorf("with a secret that was refused: got %v", err)
	}
	now = now.Add(5 * time.Minute)
	if _, err = refresh(); err != nil {
		t.Errorf("after the pause: %v", err)
	}
	if n := server.Count(tradevesttest.EndpointToken); n != 4 {
		t.Errorf("%d sign-ins, want 4", n)
	}
}
