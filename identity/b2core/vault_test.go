package b2core_test

import (
	"maps"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/b2core"
	"b2trader.identity.auth/identity/b2core/b2coretest"
	"b2trader.identity.auth/identity/internal/vaulttest"
	"b2trader.identity.auth/identity/vault"
)

// A house is a B2Core and a vault that holds tokens of B2Trader under "b2trader", on virtual time.
type house struct {
	*vaulttest.Worker
	server *b2coretest.Server
	client *b2core.Client
}

// inHouse runs f with a house whose client is made by clientOf, and whose vault has more clients beside it.
func inHouse(t *testing.T, clientOf func(t testing.TB, h *house) *b2core.Client, more map[string]vault.Refresher, f func(h *house)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, b2coretest.Config{})
		h := &house{server: server}
		h.client = clientOf(t, h)
		refreshers := map[string]vault.Refresher{"b2trader": h.client}
		maps.Copy(refreshers, more)
		h.Worker = vaulttest.New(t, refreshers, func() (auth, refresh int) {
			return server.Count(b2coretest.EndpointAuth), server.Count(b2coretest.EndpointRefresh)
		})
		h.Put("b2trader", "b2trader", h.client.FirstToken())
		f(h)
	})
}

// plain is the client whose bearer comes from the server's session.
func plain(t testing.TB, h *house) *b2core.Client {
	t.Helper()
	return newClient(t, h.server)
}

// token returns the vault's token of B2Trader, which must be good for the API.
func (h *house) token() *oauth2.Token {
	h.Helper()
	token := h.Works("b2trader")
	accepts(h, h.server, token)
	return token
}

func pass(d time.Duration) { <-time.After(d) }

// Signed in when it is first needed, renewed when two thirds of the 60 seconds have passed, and nobody waits.
func TestVaultRenews(t *testing.T) {
	inHouse(t, plain, nil, func(h *house) {
		first := h.token()
		h.Counts(1, 0)
		pass(39 * time.Second)
		if h.token().AccessToken != first.AccessToken {
			h.Error("renewed too early")
		}
		h.Counts(1, 0)
		pass(2 * time.Second)
		if h.token().AccessToken != first.AccessToken {
			h.Error("somebody waited for a renewal before its time")
		}
		h.Counts(1, 1)
		if h.token().AccessToken == first.AccessToken {
			h.Error("the successor is not used")
		}
		for i := range 20 { // and so on
			pass(61 * time.Second)
			h.token()
			h.Counts(1, i+2)
		}
	})
}

// One renewal is one request, however many need it.
func TestVaultRenewsOnceForAll(t *testing.T) {
	inHouse(t, plain, nil, func(h *house) {
		h.token()
		pass(time.Minute)
		h.server.Inject(b2coretest.EndpointRefresh, apitest.Fault{DelayBefore: 3 * time.Second})
		accepts(h, h.server, h.AllWork("b2trader"))
		h.Counts(1, 1)
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
	for _, fault := range []apitest.Fault{
		{Status: http.StatusServiceUnavailable},
		{Status: http.StatusForbidden, ContentType: "text/html", Body: []byte("<html>")}, // a gateway
		{LoseRequest: true},
	} {
		inHouse(t, plain, nil, func(h *house) {
			h.token()
			always(h.server, fault)
			pass(61 * time.Second)
			for range 10 {
				_ = h.Waits("b2trader")
				pass(time.Minute)
			}
			h.server.ClearFaults()
			h.token()
		})
	}
}
