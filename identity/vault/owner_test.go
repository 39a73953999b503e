package vault_test

import (
	"context"
	"testing"
	"testing/synctest"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/vault"
)

// field 30: an entry keeps the name of its owner in the store when the keys
// rotate, and is found by it.
func TestOwnersAcrossARotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second := vault.NewKey("first"), vault.NewKey("second")
		kept := memstore.New()
		open := func(keys ...vault.Key) *vault.Vault {
			v, err := vault.New(vault.Config{Store: kept, Keys: keys, Refreshers: map[string]vault.Refresher{"c": noRefresher{}}})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = v.Close(context.WithoutCancel(t.Context())) })
			return v
		}
		before, after := open(first, second), open(second, first)
		for _, owner := range []string{"owner", ""} {
			entry := vault.Entry{Client: "c", Owner: owner, Token: &oauth2.Token{AccessToken: "a"}}
			for _, v := range []*vault.Vault{before, after, before} {
				if err := v.Put(t.Context(), "key of "+owner, entry); err != nil {
					t.Fatalf("Put of an entry of %q = %v, want no error", owner, err)
				}
			}
			if err := after.Put(t.Context(), "new key of "+owner, entry); err != nil {
				t.Fatal(err)
			}
			if n, err := after.DeleteOwner(t.Context(), owner); n != 2 || err != nil {
				t.Errorf("DeleteOwner(%q) = %d, %v, want 2", owner, n, err)
			}
		}
	})
}

type noRefresher struct{}

// Refresh implements vault.Refresher.
func (noRefresher) Refresh(context.Context, *oauth2.Token) (*oauth2.Token, error) {
	return nil, context.Canceled
}
