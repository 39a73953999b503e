package vault_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/vault"
)

func filled(tb testing.TB) *vault.Vault {
	tb.Helper()
	client, err := identity.New(identity.Config{URL: "https://trader.example.com", ClientID: "spa"})
	if err != nil {
		tb.Fatal(err)
	}
	disk := memstore.New()
	v, err := vault.New(vault.Config{Store: disk, Keys: []vault.Key{vault.NewKey("a")}, Refreshers: map[string]vault.Refresher{"spa": client}})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = v.Close(context.Background()); _ = disk.Close() })
	for i := range 1000 {
		token := &oauth2.Token{AccessToken: "a", Expiry: time.Now().Add(time.Hour)}
		if err := v.Put(tb.Context(), strconv.Itoa(i), vault.Entry{Owner: "o", Client: "spa", Token: token}); err != nil {
			tb.Fatal(err)
		}
	}
	return v
}

// A live token costs no allocation.
func TestTokenDoesNotAllocate(t *testing.T) {
	v := filled(t)
	ctx := t.Context()
	if n := testing.AllocsPerRun(1000, func() { _, _ = v.Token(ctx, "7") }); n != 0 {
		t.Errorf("Token of a fresh token = %v allocations, want 0", n)
	}
}

// BenchmarkToken is the hot path: a live token from memory. Run it with -cpu 1,2 to see it scale.
func BenchmarkToken(b *testing.B) {
	v := filled(b)
	ctx := b.Context()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			if _, err := v.Token(ctx, keys[i%len(keys)]); err != nil {
				b.Error(err)
			}
		}
	})
}

var keys = []string{"1", "22", "333", "404", "505", "66", "7", "808"}
