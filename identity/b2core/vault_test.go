package b2core_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/b2core"
	"b2trader.identity.auth/identity/b2core/b2coretest"
	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/vault"
)

// A house is a B2Core and a vault that holds tokens of B2Trader under "b2trader", on virtual time.
type house struct {
	*testing.T
	server *b2coretest.Server
	client *b2core.Client
	vault  *vault.Vault

	mu       sync.Mutex
	renewals []vault.Renewal
}

// inHouse runs f with a house whose client is made by clientOf, and whose vault has more clients beside it.
func inHouse(t *testing.T, clientOf func(h *house) *b2core.Client, more map[string]vault.Refresher, f func(h *house)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := &house{T: t, server: newServer(t, b2coretest.Config{})}
		h.client = clientOf(h)
		refreshers := map[string]vault.Refresher{"b2trader": h.client}
		for name, r := range more {
			refreshers[name] = r
		}
		store := memstore.New()
		defer func() { _ = store.Close() }()
		var err error
		h.vault, err = vault.New(vault.Config{
			Store: store, Keys: []vault.Key{vault.NewKey("a")}, Refreshers: refreshers, Logger: slog.New(slog.DiscardHandler),
			OnRenewal: func(r vault.Renewal) {
				h.mu.Lock()
				defer h.mu.Unlock()
				h.renewals = append(h.renewals, r)
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := h.vault.Close(context.Background()); err != nil {
				t.Error(err)
			}
		}()
		h.put("b2trader", vault.Entry{Owner: "trader", Client: "b2trader", Token: h.client.FirstToken()})
		f(h)
	})
}

// plain is the client whose bearer comes from the server's session.
func plain(h *house) *b2core.Client { return newClient(h, h.server) }

func (h *house) put(key string, e vault.Entry) {
	h.Helper()
	if err := h.vault.Put(h.Context(), key, e); err != nil {
		h.Fatal(err)
	}
}

// token returns the vault's token of B2Trader, which must be good for the API.
func (h *house) token() *oauth2.Token {
	h.Helper()
	token, err := h.vault.Token(h.Context(), "b2trader")
	if err != nil {
		h.Fatal(err)
	}
	accepts(h, h.server, token)
	return token
}

// asked checks the requests once renewals under way have settled.
func (h *house) asked(auth, refresh int) {
	h.Helper()
	synctest.Wait()
	asked(h, h.server, auth, refresh)
}

// last is the last renewal of a client of the vault, once those under way have been reported: callers get their tokens first.
func (h *house) last(client string) vault.Renewal {
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	var last vault.Renewal
	for _, r := range h.renewals {
		if r.Client == client {
			last = r
		}
	}
	return last
}

func pass(d time.Duration) { <-time.After(d) }

// Signed in when it is first needed, renewed when two thirds of the 60 seconds have passed, and nobody waits.
func TestVaultRenews(t *testing.T) {
	inHouse(t, plain, nil, func(h *house) {
		first := h.token()
		h.asked(1, 0)
		pass(39 * time.Second)
		if h.token().AccessToken != first.AccessToken {
			h.Error("renewed too early")
		}
		h.asked(1, 0)
		pass(2 * time.Second)
		if h.token().AccessToken != first.AccessToken {
			h.Error("somebody waited for a renewal before its time")
		}
		h.asked(1, 1)
		if h.token().AccessToken == first.AccessToken {
			h.Error("the successor is not used")
		}
		for i := range 20 { // and so on
			pass(61 * time.Second)
			h.token()
			h.asked(1, i+2)
		}
	})
}

// One renewal is one request, however many need it.
func TestVaultRenewsOnceForAll(t *testing.T) {
	inHouse(t, plain, nil, func(h *house) {
		h.token()
		pass(time.Minute)
		h.server.Inject(b2coretest.EndpointRefresh, apitest.Fault{DelayBefore: 3 * time.Second})
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() { h.token() })
		}
		wg.Wait()
		h.asked(1, 1)
	})
}

// What goes wrong at the refresh costs no session.
func TestVaultSurvives(t *testing.T) {
	for name, c := range map[string]struct {
		fault         func(server *b2coretest.Server)
		auth, refresh int
	}{
		"a lost request":          {fails(apitest.Fault{LoseRequest: true}), 1, 2},
		"a lost answer":           {fails(apitest.Fault{LoseAnswer: true}), 2, 2}, // the refresh token is spent: asked once more, then signed in
		"a revoked refresh token": {(*b2coretest.Server).RevokeRefreshTokens, 2, 1},
		"a bearer that has died":  {(*b2coretest.Server).ExpireBearers, 3, 1},
		"a 503":                   {fails(apitest.Fault{Status: http.StatusServiceUnavailable, RetryAfter: "4"}), 1, 2},
		"a 429":                   {fails(apitest.Fault{Status: http.StatusTooManyRequests}), 1, 2},
		"a page of HTML":          {fails(apitest.Fault{Body: []byte("<html>"), ContentType: "text/html"}), 1, 2},
		"an unexpected host": {fails(apitest.Fault{Answer: func(fields map[string]any) {
			fields["host"] = "https://evil.example"
		}}), 2, 2}, // the refresh token is spent
	} {
		inHouse(t, plain, nil, func(h *house) {
			h.token()
			c.fault(h.server)
			pass(41 * time.Second)
			h.token() // the old one serves meanwhile
			pass(5 * time.Second)
			h.token()
			pass(30 * time.Second)
			h.token()
			synctest.Wait()
			if a, r := h.server.Count(b2coretest.EndpointAuth), h.server.Count(b2coretest.EndpointRefresh); a != c.auth || r != c.refresh {
				h.Errorf("%s: auth was asked %d times and refresh %d times, want %d and %d", name, a, r, c.auth, c.refresh)
			}
		})
	}
}

// fails lets the refresh endpoint fail.
func fails(f apitest.Fault) func(server *b2coretest.Server) {
	return func(server *b2coretest.Server) { server.Inject(b2coretest.EndpointRefresh, f) }
}

// A long outage ends nothing, and what a gateway says does not either.
func TestVaultOutlastsAnOutage(t *testing.T) {
	for name, fault := range map[string]apitest.Fault{
		"503":       {Status: http.StatusServiceUnavailable},
		"a gateway": {Status: http.StatusForbidden, ContentType: "text/html", Body: []byte("<html>")},
		"cut":       {LoseRequest: true},
	} {
		inHouse(t, plain, nil, func(h *house) {
			h.token()
			always(h.server, fault)
			pass(61 * time.Second)
			for range 10 {
				if _, err := h.vault.Token(h.Context(), "b2trader"); !isUnavailable(err) {
					h.Errorf("%s: got %v", name, err)
				}
				pass(time.Minute)
			}
			h.server.ClearFaults()
			h.token()
		})
	}
}

func isUnavailable(err error) bool {
	_, ok := errors.AsType[*vault.UnavailableError](err)
	return ok
}
