package vault_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/vault"
)

// A neighbour is a Refresher that counts how often it is asked.
type neighbour struct {
	err   error
	asked int
}

func (n *neighbour) Refresh(context.Context, *oauth2.Token) (*oauth2.Token, error) {
	n.asked++
	if n.err != nil {
		return nil, n.err
	}
	return &oauth2.Token{AccessToken: "next", Expiry: time.Now().Add(time.Minute)}, nil
}

// inTown runs f with vaults that share a store, one for each set of clients, and an entry of "ours" that is due.
func inTown(t *testing.T, f func(t *testing.T, vaults []*vault.Vault), processes ...map[string]vault.Refresher) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		shared, key := memstore.New(), vault.NewKey("k")
		defer func() { _ = shared.Close() }()
		var vaults []*vault.Vault
		for _, clients := range processes {
			v, err := vault.New(vault.Config{Store: shared, Keys: []vault.Key{key}, Refreshers: clients})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = v.Close(context.Background()) }()
			vaults = append(vaults, v)
		}
		if err := vaults[0].Put(t.Context(), "k", vault.Entry{Client: "ours", Token: &oauth2.Token{Expiry: time.Unix(0, 0)}}); err != nil {
			t.Fatal(err)
		}
		f(t, vaults)
	})
}

// One Refresher may serve entries that differ in what they need, and tell them apart.
func TestEntryKey(t *testing.T) {
	seen := make(chan string, 3)
	ours := refresherFunc(func(ctx context.Context, _ *oauth2.Token) (*oauth2.Token, error) {
		seen <- vault.EntryKey(ctx)
		return &oauth2.Token{AccessToken: "next", Expiry: time.Now().Add(time.Minute)}, nil
	})
	inTown(t, func(t *testing.T, vaults []*vault.Vault) {
		v := vaults[0]
		if err := v.Put(t.Context(), "another", vault.Entry{Client: "ours", Token: &oauth2.Token{Expiry: time.Unix(0, 0)}}); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"k", "another"} {
			if _, err := v.Token(t.Context(), key); err != nil {
				t.Fatal(err)
			}
			if got := <-seen; got != key {
				t.Errorf("called for %q, want %q", got, key)
			}
		}
		if got := vault.EntryKey(t.Context()); got != "" {
			t.Errorf("a context of the test's own is for %q", got)
		}
	}, map[string]vault.Refresher{"ours": ours})
}

type refresherFunc func(context.Context, *oauth2.Token) (*oauth2.Token, error)

func (f refresherFunc) Refresh(ctx context.Context, old *oauth2.Token) (*oauth2.Token, error) {
	return f(ctx, old)
}

// A process that shares the store, but does not know the client of an entry, leaves it to those who do.
func TestUnknownClient(t *testing.T) {
	ours := &neighbour{}
	inTown(t, func(t *testing.T, vaults []*vault.Vault) {
		_, err := vaults[1].Token(t.Context(), "k")
		if _, ok := errors.AsType[*vault.UnavailableError](err); !ok || !strings.Contains(err.Error(), `no Refresher for the client "ours"`) {
			t.Errorf("got %v", err)
		}
		token, err := vaults[0].Token(t.Context(), "k")
		if err != nil || token.AccessToken != "next" || ours.asked != 1 {
			t.Errorf("got %v, %v after %d requests", token, err, ours.asked)
		}
	}, map[string]vault.Refresher{"ours": ours}, map[string]vault.Refresher{"theirs": &neighbour{}})
}

// later is the error of a request that was not sent, since whoever was to make it possible asks to wait.
type later struct{ delay time.Duration }

func (*later) Error() string { return "not now" }
func (l *later) Outcome() tokenapi.Outcome {
	return tokenapi.Outcome{Kind: tokenapi.NotSent, RetryAfter: l.delay}
}

// What was not sent is repeated at once, but not before the time that was asked for.
func TestNotSentAndAskedToWait(t *testing.T) {
	for delay, want := range map[time.Duration]int{0: 3, 5 * time.Second: 1} {
		ours := &neighbour{err: &later{delay}}
		inTown(t, func(t *testing.T, vaults []*vault.Vault) {
			if _, err := vaults[0].Token(t.Context(), "k"); err == nil || ours.asked != want {
				t.Errorf("asked to wait %v: got %v after %d requests, want %d", delay, err, ours.asked, want)
			}
		}, map[string]vault.Refresher{"ours": ours})
	}
}

// A server that asks for a day is asked again after five minutes, and at once for another token.
func TestPausesAreBounded(t *testing.T) {
	ours := &neighbour{err: &later{24 * time.Hour}}
	inTown(t, func(t *testing.T, vaults []*vault.Vault) {
		_, err := vaults[0].Token(t.Context(), "k")
		if e, ok := errors.AsType[*vault.UnavailableError](err); !ok || e.RetryAfter != 5*time.Minute {
			t.Errorf("got %v", err)
		}
		ours.err = nil
		if err := vaults[0].Put(t.Context(), "k", vault.Entry{Client: "ours", Token: &oauth2.Token{Expiry: time.Unix(0, 0)}}); err != nil {
			t.Fatal(err)
		}
		if _, err := vaults[0].Token(t.Context(), "k"); err != nil {
			t.Errorf("a new token waits for the old one's pause: %v", err)
		}
	}, map[string]vault.Refresher{"ours": ours})
}
