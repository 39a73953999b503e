package vault_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/vault"
)

// Programs that take an oauth2.TokenSource share the entry's renewals.
func TestTokenSource(t *testing.T) {
	inCluster(t, 2, func(c *cluster, p *process) {
		first := p.signIn("k")
		sources := []oauth2.TokenSource{
			p.vault.TokenSource(c.Context(), "k"),
			oauth2.ReuseTokenSource(nil, p.vault.TokenSource(c.Context(), "k")), // as oauth2.NewClient wraps it
			c.processes[1].vault.TokenSource(c.Context(), "k"),
		}
		for round := range 3 {
			for _, s := range sources {
				token, err := s.Token()
				if err != nil || !token.Valid() || same(token, first) != (round == 0) {
					c.Fatalf("round %d: Token() = %v, want a live token, new after the expiry", round, err)
				}
			}
			pass(31 * time.Second)
		}
		c.wantRefreshes(2)
		if _, err := p.vault.Delete(c.Context(), "k"); err != nil {
			c.Fatal(err)
		}
		if token, err := sources[0].Token(); !errors.Is(err, vault.ErrNotFound) || token != nil {
			c.Errorf("Token() after Delete = %v, want %v", err, vault.ErrNotFound)
		}
	})
}

func TestTokenSourceObeysItsContext(t *testing.T) {
	inCluster(t, 1, func(c *cluster, p *process) {
		p.signIn("k")
		pass(31 * time.Second)
		c.server.Inject(identitytest.EndpointToken, identitytest.Fault{DelayAfter: 4 * time.Second})
		ctx, cancel := context.WithTimeout(c.Context(), time.Second)
		defer cancel()
		if _, err := p.vault.TokenSource(ctx, "k").Token(); !errors.Is(err, context.DeadlineExceeded) {
			c.Errorf("Token() = %v, want %v", err, context.DeadlineExceeded)
		}
		p.token("k")
		c.wantRefreshes(1)
	})
}

// counting is a Refresher that counts its calls.
type counting int

func (n *counting) Refresh(context.Context, *oauth2.Token) (*oauth2.Token, error) {
	*n++
	return &oauth2.Token{AccessToken: "second", Expiry: time.Now().Add(time.Hour)}, nil
}

// The http.Client of an entry shows its live token.
func TestClient(t *testing.T) {
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer second" {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	t.Cleanup(api.Close)
	store, n := memstore.New(), new(counting)
	v, err := vault.New(vault.Config{Store: store, Keys: []vault.Key{vault.NewKey("a")}, Refreshers: map[string]vault.Refresher{"c": n}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = errors.Join(v.Close(context.Background()), store.Close()) })
	client := v.Client("k") // before the entry is put
	expired := &oauth2.Token{AccessToken: "first", Expiry: time.Now().Add(-time.Hour)}
	if err := v.Put(t.Context(), "k", vault.Entry{Client: "c", Token: expired}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		resp, err := client.Get(api.URL)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		if _ = resp.Body.Close(); resp.StatusCode != http.StatusOK || *n != 1 {
			t.Errorf("Get = %d after %d renewals, want 200 after one", resp.StatusCode, *n)
		}
	}
}
