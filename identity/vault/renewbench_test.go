package vault_test

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/vault"
)

// counted is a store that counts its writes.
type counted struct {
	*memstore.Store
	puts atomic.Int64
}

func (c *counted) Put(ctx context.Context, r store.Record) (uint64, error) {
	c.puts.Add(1)
	return c.Store.Put(ctx, r)
}

// instant is a token server that costs nothing.
type instant struct{ calls atomic.Int64 }

func (i *instant) Refresh(context.Context, *oauth2.Token) (*oauth2.Token, error) {
	n := i.calls.Add(1)
	return &oauth2.Token{AccessToken: fmt.Sprint("a", n), RefreshToken: fmt.Sprint("r", n), Expiry: time.Now().Add(time.Hour)}, nil
}

// BenchmarkRenewals renews 10,000 expired sessions, each for three callers at
// once. It reports the token calls and the writes of the store per renewal.
func BenchmarkRenewals(b *testing.B) {
	const sessions, callers = 10_000, 3
	for b.Loop() {
		b.StopTimer()
		disk, server := &counted{Store: memstore.New()}, &instant{}
		v, err := vault.New(vault.Config{Store: disk, Keys: []vault.Key{vault.NewKey("a")}, Refreshers: map[string]vault.Refresher{"spa": server}, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			b.Fatal(err)
		}
		expired := &oauth2.Token{AccessToken: "a", RefreshToken: "r", Expiry: time.Now().Add(-time.Second)}
		for i := range sessions {
			if err := v.Put(b.Context(), strconv.Itoa(i), vault.Entry{Owner: "o", Client: "spa", Token: expired}); err != nil {
				b.Fatal(err)
			}
		}
		disk.puts.Store(0)
		b.StartTimer()
		var all sync.WaitGroup
		for range callers {
			all.Go(func() {
				for i := range sessions {
					if _, err := v.Token(b.Context(), strconv.Itoa(i)); err != nil {
						b.Error(err)
					}
				}
			})
		}
		all.Wait()
		b.StopTimer()
		b.ReportMetric(float64(server.calls.Load())/sessions, "tokencalls/renewal")
		b.ReportMetric(float64(disk.puts.Load())/sessions, "writes/renewal")
		_ = v.Close(context.Background())
		_ = disk.Close()
		b.StartTimer()
	}
}
