package b2core_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/b2core"
	"b2trader.identity.auth/identity/b2core/b2coretest"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/vault"
)

// A session renews the bearer of a B2Core session, which is how a vault keeps that.
type session struct {
	server *b2coretest.Server
	away   atomic.Bool // it cannot be renewed just now
}

func (s *session) Refresh(ctx context.Context, old *oauth2.Token) (*oauth2.Token, error) {
	if s.away.Load() {
		return nil, errors.New("nobody knows where the session is")
	}
	return s.server.Bearer(ctx, old)
}

// inChain runs f with a vault that keeps a B2Core session under "session" and, by its bearer, tokens of B2Trader
// under "b2trader". api calls B2Trader with those.
func inChain(t *testing.T, f func(h *house, api *http.Client)) {
	t.Helper()
	inChainOf(t, &session{}, f)
}

func inChainOf(t *testing.T, core *session, f func(h *house, api *http.Client)) {
	t.Helper()
	chained := func(t testing.TB, h *house) *b2core.Client {
		t.Helper()
		core.server = h.server
		return newClient(t, h.server, withBearer(func(ctx context.Context, refused *oauth2.Token) (*oauth2.Token, error) {
			return h.Vault.Source("session")(ctx, refused) // made after the client
		}))
	}
	inHouse(t, chained, map[string]vault.Refresher{"b2core": core}, func(h *house) {
		first, err := h.server.Bearer(h.Context(), nil)
		if err != nil {
			h.Fatal(err)
		}
		h.Put("session", "b2core", first)
		f(h, &http.Client{Transport: &vault.Transport{Vault: h.Vault, Key: "b2trader", Base: h.server.Transport()}})
	})
}

// call asks B2Trader's API through the chain.
func call(ctx context.Context, api *http.Client) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, broker+b2coretest.APIPath, nil)
	if err != nil {
		return err
	}
	resp, err := api.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	return nil
}

func isUnavailable(err error) bool {
	_, ok := errors.AsType[*vault.UnavailableError](err)
	return ok
}

// One client serves any number of users: the source finds each one's session by the entry that the token is for.
func TestChainOfManyUsers(t *testing.T) {
	asked := make(chan string, 10)
	chained := func(t testing.TB, h *house) *b2core.Client {
		t.Helper()
		return newClient(t, h.server, withBearer(func(ctx context.Context, refused *oauth2.Token) (*oauth2.Token, error) {
			user := strings.TrimPrefix(vault.EntryKey(ctx), "b2trader/")
			asked <- user
			return h.Vault.Source("session/"+user)(ctx, refused)
		}))
	}
	inHouse(t, chained, nil, func(h *house) {
		for _, user := range []string{"ann", "bob"} {
			bearer, err := h.server.Bearer(h.Context(), nil)
			if err != nil {
				h.Fatal(err)
			}
			h.Put("session/"+user, "b2trader", bearer)
			h.Put("b2trader/"+user, "b2trader", tokenapi.FirstToken())
			api := &http.Client{Transport: &vault.Transport{Vault: h.Vault, Key: "b2trader/" + user, Base: h.server.Transport()}}
			if err := call(h.Context(), api); err != nil {
				h.Fatal(err)
			}
			if got := <-asked; got != user {
				h.Errorf("the session of %q was used, want %q", got, user)
			}
		}
	})
}

// Both tokens, of 60 seconds and of 10 minutes, are renewed for an hour, and no call fails.
func TestChainRenewsBothTokens(t *testing.T) {
	inChain(t, func(h *house, api *http.Client) {
		for range 60 {
			if err := call(h.Context(), api); err != nil {
				h.Fatal(err)
			}
			pass(time.Minute)
		}
		h.Counts(1, 59)
		bearers := map[string]bool{}
		for _, b := range shown(h.server, b2coretest.EndpointRefresh) {
			bearers[b] = true
		}
		if n := len(bearers); n < 6 || n > 10 {
			h.Errorf("%d bearers in an hour", n)
		}
		for _, r := range h.server.Requests(b2coretest.EndpointRefresh) {
			if r.Status != http.StatusOK {
				h.Errorf("a refresh was answered %d: %s", r.Status, r.Problem)
			}
		}
	})
}

// Whatever is refused before its time is replaced, within one call.
func TestChainHeals(t *testing.T) {
	for name, harm := range map[string]func(server *b2coretest.Server){
		"the access token":                   (*b2coretest.Server).ExpireTokens,
		"the refresh token, with the access": func(s *b2coretest.Server) { s.ExpireTokens(); s.RevokeRefreshTokens() },
		"the bearer, with the access":        func(s *b2coretest.Server) { s.ExpireTokens(); s.ExpireBearers() },
		"everything":                         func(s *b2coretest.Server) { s.ExpireTokens(); s.RevokeRefreshTokens(); s.ExpireBearers() },
	} {
		inChain(t, func(h *house, api *http.Client) {
			if err := call(h.Context(), api); err != nil {
				h.Fatal(err)
			}
			pass(10 * time.Second)
			harm(h.server)
			if err := call(h.Context(), api); err != nil {
				h.Errorf("%s: %v", name, err)
			}
		})
	}
}

// A bearer that is refused early is renewed in the vault: by one sign-in with the old one, and one with the new one.
func TestChainReplacesTheBearer(t *testing.T) {
	inChain(t, func(h *house, api *http.Client) {
		first := h.token()
		h.server.ExpireBearers()
		pass(61 * time.Second)
		if err := call(h.Context(), api); err != nil {
			h.Fatal(err)
		}
		h.Counts(3, 1)
		now, err := h.Vault.Token(h.Context(), "session")
		seen := shown(h.server, b2coretest.EndpointAuth)
		if err != nil || seen[0] != seen[1] || seen[2] == seen[1] || now.AccessToken != seen[2] || h.token().AccessToken == first.AccessToken {
			h.Errorf("another bearer was not asked for: %v", err)
		}
	})
}

// While the session cannot be renewed, there is nothing to ask B2Core with, and nothing ends.
func TestChainOutlastsTheSessionsOutage(t *testing.T) {
	core := &session{}
	inChainOf(t, core, func(h *house, api *http.Client) {
		if err := call(h.Context(), api); err != nil {
			h.Fatal(err)
		}
		core.away.Store(true)
		pass(11 * time.Minute)
		for range 5 {
			if err := call(h.Context(), api); !isUnavailable(err) {
				h.Errorf("got %v", err)
			}
			pass(20 * time.Second)
		}
		h.Counts(1, 0)
		if r := h.Last("b2trader"); r.Result != vault.Failed || !errors.Is(r.Err, tokenapi.ErrUnavailable) {
			h.Errorf("got %s, %v", r.Result, r.Err)
		}
		core.away.Store(false)
		if err := call(h.Context(), api); err != nil {
			h.Error(err)
		}
		h.Counts(1, 1)
	})
}

// While B2Core is away, nothing ends either.
func TestChainOutlastsAnOutage(t *testing.T) {
	inChain(t, func(h *house, api *http.Client) {
		if err := call(h.Context(), api); err != nil {
			h.Fatal(err)
		}
		always(h.server, apitest.Fault{Status: http.StatusServiceUnavailable})
		pass(61 * time.Second)
		for range 5 {
			if err := call(h.Context(), api); !isUnavailable(err) {
				h.Errorf("got %v", err)
			}
			pass(20 * time.Second)
		}
		h.server.ClearFaults()
		if err := call(h.Context(), api); err != nil {
			h.Error(err)
		}
	})
}

// When the B2Core session has ended, so has the entry of B2Trader, and says why. No more requests are made.
func TestChainEndsWithTheSession(t *testing.T) {
	inChain(t, func(h *house, api *http.Client) {
		if err := call(h.Context(), api); err != nil {
			h.Fatal(err)
		}
		h.server.EndSession()
		if err := call(h.Context(), api); err != nil {
			h.Errorf("the access token was good yet: %v", err)
		}
		pass(61 * time.Second)
		for range 3 {
			if err := call(h.Context(), api); !errors.Is(err, vault.ErrEnded) {
				h.Errorf("got %v", err)
			}
			pass(time.Minute)
		}
		h.Counts(2, 1) // with the dead bearer: nobody knew
		trader, core := h.Last("b2trader"), h.Last("b2core")
		if trader.Result != vault.Refused || !errors.Is(trader.Err, tokenapi.ErrNotSignedIn) || !errors.Is(trader.Err, vault.ErrEnded) {
			h.Errorf("the entry of B2Trader: %s, %v", trader.Result, trader.Err)
		}
		if core.Result != vault.Refused || !errors.Is(core.Err, b2coretest.ErrSessionEnded) {
			h.Errorf("the entry of the session: %s, %v", core.Result, core.Err)
		}
	})
}

// A user who signs out of B2Core, in whatever process, is signed out of B2Trader at the next renewal.
func TestChainEndsWithTheEntry(t *testing.T) {
	inChain(t, func(h *house, api *http.Client) {
		if err := call(h.Context(), api); err != nil {
			h.Fatal(err)
		}
		if _, err := h.Vault.Delete(h.Context(), "session"); err != nil {
			h.Fatal(err)
		}
		pass(61 * time.Second)
		if err := call(h.Context(), api); !errors.Is(err, vault.ErrEnded) {
			h.Errorf("got %v", err)
		}
		if r := h.Last("b2trader"); !errors.Is(r.Err, tokenapi.ErrNotSignedIn) || !errors.Is(r.Err, vault.ErrNotFound) {
			h.Errorf("got %v", r.Err)
		}
		h.Counts(1, 0)
	})
}

// While the bearer is stale, what was refused is not sent again at once.
func TestStaleBearerIsNotRepeated(t *testing.T) {
	stale := func(t testing.TB, h *house) *b2core.Client {
		t.Helper()
		return newClient(t, h.server, withBearer(func(ctx context.Context, refused *oauth2.Token) (*oauth2.Token, error) {
			if refused != nil {
				return nil, errors.New("there is no other yet")
			}
			return h.server.Bearer(ctx, nil)
		}))
	}
	inHouse(t, stale, nil, func(h *house) {
		h.token()
		h.server.ExpireBearers()
		h.server.RevokeRefreshTokens()
		pass(61 * time.Second)
		if _, err := h.Vault.Token(h.Context(), "b2trader"); err == nil {
			h.Error("there is a token")
		}
		h.Counts(2, 1) // the first sign-in, and one refresh and one sign-in that were refused
	})
}
