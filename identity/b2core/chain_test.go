package b2core_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/b2core/b2coretest"
	"b2trader.identity.auth/identity/internal/vaulttest"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/vault"
)

// A chain is a vault that keeps a B2Core session under "session" and, by its
// bearer, tokens of B2Trader under "b2trader", on virtual time.
type chain struct {
	*vaulttest.Worker
	server *b2coretest.Server
	api    *http.Client // B2Trader's, with those tokens
	away   atomic.Bool  // the session cannot be renewed
}

// Refresh renews the bearer of the B2Core session.
func (c *chain) Refresh(ctx context.Context, old *oauth2.Token) (*oauth2.Token, error) {
	if c.away.Load() {
		return nil, errors.New("the session cannot be renewed")
	}
	return c.server.Bearer(ctx, old)
}

// vaultSource returns the bearer of the vault's entry "session".
func vaultSource(c *chain) tokenapi.Source {
	return func(ctx context.Context, refused *oauth2.Token) (*oauth2.Token, error) {
		return c.Vault.Source("session")(ctx, refused) // the vault is made after the client
	}
}

// inChain runs f with a chain whose client asks source(c) for the bearer.
func inChain(t *testing.T, source func(c *chain) tokenapi.Source, f func(c *chain)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := &chain{server: newServer(t, b2coretest.Config{})}
		refreshers := map[string]vault.Refresher{"b2core": c, "b2trader": newClient(t, c.server, withBearer(source(c)))}
		c.Worker = vaulttest.New(t, refreshers, func() (auth, refresh int) {
			return c.server.Count(b2coretest.EndpointAuth), c.server.Count(b2coretest.EndpointRefresh)
		})
		c.put("session", "b2trader")
		c.api = c.client("b2trader")
		f(c)
	})
}

// put stores the session's bearer and a first token of B2Trader.
func (c *chain) put(session, trader string) {
	c.Helper()
	bearer, err := c.server.Bearer(c.Context(), nil)
	if err != nil {
		c.Fatal(err)
	}
	c.Put(session, "b2core", bearer)
	c.Put(trader, "b2trader", tokenapi.FirstToken())
}

func (c *chain) client(key string) *http.Client {
	return &http.Client{Transport: &vault.Transport{Vault: c.Vault, Key: key, Base: c.server.Transport()}}
}

// call sends a request to B2Trader's API.
func (c *chain) call() error {
	resp, err := c.api.Get(broker + b2coretest.APIPath)
	if err != nil {
		return err
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	return nil
}

// works fails the test unless a call succeeds.
func (c *chain) works() {
	c.Helper()
	if err := c.call(); err != nil {
		c.Fatalf("got %v, want 200", err)
	}
}

// unavailable fails unless calls are unavailable, for 100 seconds.
func (c *chain) unavailable() {
	c.Helper()
	for range 5 {
		if _, ok := errors.AsType[*vault.UnavailableError](c.call()); !ok {
			c.Errorf("got another error than UnavailableError")
		}
		pass(20 * time.Second)
	}
}

func pass(d time.Duration) { <-time.After(d) }

// One client serves many users: its source finds each user's session by the key
// of the entry.
func TestChainOfManyUsers(t *testing.T) {
	asked := make(chan string, 10)
	byUser := func(c *chain) tokenapi.Source {
		return func(ctx context.Context, refused *oauth2.Token) (*oauth2.Token, error) {
			user := strings.TrimPrefix(vault.EntryKey(ctx), "b2trader/")
			asked <- user
			return c.Vault.Source("session/"+user)(ctx, refused)
		}
	}
	inChain(t, byUser, func(c *chain) {
		for _, user := range []string{"ann", "bob"} {
			c.put("session/"+user, "b2trader/"+user)
			c.api = c.client("b2trader/" + user)
			c.works()
			if got := <-asked; got != user {
				c.Errorf("used the session of %q, want that of %q", got, user)
			}
		}
	})
}

// Both tokens, of 60 seconds and of 10 minutes, are renewed for an hour, and no
// call fails.
func TestChainRenewsBothTokens(t *testing.T) {
	inChain(t, vaultSource, func(c *chain) {
		for range 60 {
			c.works()
			pass(time.Minute)
		}
		c.Counts(1, 59)
		bearers := map[string]bool{}
		for _, r := range c.server.Requests(b2coretest.EndpointRefresh) {
			bearers[r.Header.Get("Authorization")] = true
			if r.Status != http.StatusOK {
				c.Errorf("a refresh got %d: %s, want 200", r.Status, r.Problem)
			}
		}
		if n := len(bearers); n < 6 || n > 10 {
			c.Errorf("got %d bearers in an hour, want 6 to 10", n)
		}
	})
}

// A token that is refused before its time is replaced within one call.
func TestChainReplacesRefusedTokens(t *testing.T) {
	for name, harm := range map[string]func(s *b2coretest.Server){
		"access token":             (*b2coretest.Server).ExpireTokens,
		"access and refresh token": func(s *b2coretest.Server) { s.ExpireTokens(); s.RevokeRefreshTokens() },
		"access token and bearer":  func(s *b2coretest.Server) { s.ExpireTokens(); s.ExpireBearers() },
		"all":                      func(s *b2coretest.Server) { s.ExpireTokens(); s.RevokeRefreshTokens(); s.ExpireBearers() },
	} {
		inChain(t, vaultSource, func(c *chain) {
			c.works()
			pass(10 * time.Second)
			harm(c.server)
			if err := c.call(); err != nil {
				c.Errorf("%s: got %v, want 200", name, err)
			}
		})
	}
}

// While the session cannot be renewed, calls are unavailable and no entry ends.
func TestChainOutlastsTheSessionsOutage(t *testing.T) {
	inChain(t, vaultSource, func(c *chain) {
		c.works()
		c.away.Store(true)
		pass(11 * time.Minute)
		c.unavailable()
		c.Counts(1, 0)
		if r := c.Last("b2trader"); r.Result != vault.Failed || !errors.Is(r.Err, tokenapi.ErrUnavailable) {
			c.Errorf("got %s, %v, want a failure with ErrUnavailable", r.Result, r.Err)
		}
		c.away.Store(false)
		c.works()
		c.Counts(1, 1)
	})
}

// When the B2Core session ends, the entry of B2Trader ends at its next renewal,
// with the reason and without more requests.
func TestChainEndsWithTheSession(t *testing.T) {
	inChain(t, vaultSource, func(c *chain) {
		c.works()
		c.server.EndSession()
		c.works() // the access token lives on
		pass(61 * time.Second)
		for range 3 {
			if err := c.call(); !errors.Is(err, vault.ErrEnded) {
				c.Errorf("got %v, want ErrEnded", err)
			}
			pass(time.Minute)
		}
		c.Counts(2, 1) // with the refused bearer
		trader, core := c.Last("b2trader"), c.Last("b2core")
		if trader.Result != vault.Refused || !errors.Is(trader.Err, tokenapi.ErrNotSignedIn) || !errors.Is(trader.Err, vault.ErrEnded) {
			c.Errorf("the entry of B2Trader: got %s, %v, want ErrNotSignedIn and ErrEnded", trader.Result, trader.Err)
		}
		if core.Result != vault.Refused || !errors.Is(core.Err, b2coretest.ErrSessionEnded) {
			c.Errorf("the entry of the session: got %s, %v, want ErrSessionEnded", core.Result, core.Err)
		}
	})
}

// A user who signs out of B2Core is signed out of B2Trader at its next renewal.
func TestChainEndsWithTheEntry(t *testing.T) {
	inChain(t, vaultSource, func(c *chain) {
		c.works()
		if _, err := c.Vault.Delete(c.Context(), "session"); err != nil {
			c.Fatal(err)
		}
		pass(61 * time.Second)
		if err := c.call(); !errors.Is(err, vault.ErrEnded) {
			c.Errorf("got %v, want ErrEnded", err)
		}
		if r := c.Last("b2trader"); !errors.Is(r.Err, tokenapi.ErrNotSignedIn) || !errors.Is(r.Err, vault.ErrNotFound) {
			c.Errorf("got %v, want ErrNotSignedIn and ErrNotFound", r.Err)
		}
		c.Counts(1, 0)
	})
}
