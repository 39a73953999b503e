package vault_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/vault"
)

// An observer notes what a vault tells.
type observer struct {
	mu       sync.Mutex
	waits    []vault.Wait
	renewals []vault.Renewal
}

// vault returns a vault that tells o, and shares entries with those of the same store and key.
func (o *observer) vault(h *house, key vault.Key) *vault.Vault {
	h.Helper()
	v, err := vault.New(vault.Config{
		Store: h.store, Keys: []vault.Key{key}, Refreshers: map[string]vault.Refresher{"spa": h.client},
		OnWait: func(w vault.Wait) {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.waits = append(o.waits, w)
		},
		OnRenewal: func(r vault.Renewal) {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.renewals = append(o.renewals, r)
		},
	})
	if err != nil {
		h.Fatal(err)
	}
	return v
}

// req 126: observers learn who waited for how long, for a renewal and for another process's lease, and what is live.
func TestObservers(t *testing.T) {
	inHouse(t, func(h *house) {
		var first, second observer
		key := vault.NewKey("shared")
		one, two := first.vault(h, key), second.vault(h, key)
		defer func() {
			if err := errors.Join(one.Close(context.Background()), two.Close(context.Background())); err != nil {
				h.Error(err)
			}
		}()
		token, err := h.client.Login(h.Context(), "trader@example.com", "trader-password")
		if err != nil {
			h.Fatal(err)
		}
		if err := one.Put(h.Context(), "k", vault.Entry{Owner: "o", Client: "spa", Token: token}); err != nil {
			h.Fatal(err)
		}
		pass(31 * time.Second)
		h.server.Inject(identitytest.EndpointToken, identitytest.Fault{DelayBefore: 5 * time.Second})
		go func() { _, _ = one.Token(h.Context(), "k") }() // takes the lease
		synctest.Wait()
		var callers sync.WaitGroup
		for range 3 {
			callers.Go(func() {
				if _, err := two.Token(h.Context(), "k"); err != nil {
					h.Error(err)
				}
			})
		}
		callers.Wait()
		synctest.Wait()
		if len(second.waits) != 3 || second.waits[0] != (vault.Wait{Client: "spa", Duration: 5 * time.Second}) {
			h.Errorf("waits %+v, want 3 of 5 s", second.waits)
		}
		if len(second.renewals) != 1 || second.renewals[0].Result != vault.Joined || second.renewals[0].LeaseWait != 5*time.Second {
			h.Errorf("renewals %+v, want one that waited 5 s for the lease", second.renewals)
		}
		if len(first.renewals) != 1 || first.renewals[0].Result != vault.Renewed || first.renewals[0].LeaseWait != 0 {
			h.Errorf("the holder's renewals are %+v", first.renewals)
		}
		if live := two.Live(); len(live) != 1 || live["spa"] != 1 {
			h.Errorf("live %v", live)
		}
		h.server.RevokeTokens("trader@example.com")
		pass(31 * time.Second)
		if _, err := two.Token(h.Context(), "k"); !errors.Is(err, vault.ErrEnded) {
			h.Errorf("got %v", err)
		}
		synctest.Wait()
		if last := second.waits[len(second.waits)-1]; !errors.Is(last.Err, vault.ErrEnded) {
			h.Errorf("the last wait is %+v", last)
		}
		if live := two.Live(); len(live) != 0 {
			h.Errorf("live %v after the end", live)
		}
	})
}
