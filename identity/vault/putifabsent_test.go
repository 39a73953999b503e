package vault_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/vault"
)

// The entry of the first process stays, an ended one is replaced, and a deleted
// one stays deleted.
func TestPutIfAbsent(t *testing.T) {
	inCluster(t, 3, func(c *cluster, p *process) {
		putIfAbsent := func(p *process, access string) error {
			return p.vault.PutIfAbsent(c.Context(), "k", vault.Entry{Client: "spa", Token: &oauth2.Token{AccessToken: access, RefreshToken: "r"}})
		}
		names := []string{"a", "b", "c"}
		var all sync.WaitGroup
		for i, p := range c.processes {
			all.Go(func() {
				if err := putIfAbsent(p, names[i]); err != nil {
					c.Errorf("PutIfAbsent() = %v, want nil", err)
				}
			})
		}
		all.Wait()
		first := p.token("k")
		for _, p := range c.processes {
			if err := putIfAbsent(p, "another"); err != nil || !same(p.token("k"), first) {
				c.Errorf("PutIfAbsent() = %v and another token, want nil and the first one", err)
			}
		}

		if _, err := p.vault.Renew(c.Context(), "k", first); !errors.Is(err, vault.ErrEnded) { // "r" is no refresh token
			c.Fatalf("Renew() = %v, want %v", err, vault.ErrEnded)
		}
		pass(time.Second)
		err := putIfAbsent(c.processes[1], "after the end")
		pass(time.Second)
		if err != nil || p.token("k").AccessToken != "after the end" {
			c.Errorf("PutIfAbsent() for an ended entry = %v, want it replaced", err)
		}

		if _, err := p.vault.Delete(c.Context(), "k"); err != nil {
			c.Fatal(err)
		}
		if err := putIfAbsent(c.processes[2], "after the deletion"); !errors.Is(err, vault.ErrNotFound) {
			c.Errorf("PutIfAbsent() for a deleted entry = %v, want %v", err, vault.ErrNotFound)
		}
		if n := c.server.Count(identitytest.EndpointToken); n != 1 {
			c.Errorf("got %d token requests, want the refused one", n)
		}
	})
}
