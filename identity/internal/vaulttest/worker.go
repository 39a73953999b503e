// Package vaulttest puts what renews tokens to work in a vault, for its tests.
package vaulttest

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/vault"
)

// A Worker has a vault that keeps its tokens alive, in a synctest bubble.
type Worker struct {
	*testing.T
	Vault *vault.Vault
	asked func() (signIns, renewals int)

	mu   sync.Mutex
	last map[string]vault.Renewal
}

// New returns a worker whose vault is empty and has these refreshers, by the clients' names. It is closed when the test ends. asked
// tells how many requests the server has got so far.
func New(t *testing.T, refreshers map[string]vault.Refresher, asked func() (signIns, renewals int)) *Worker {
	t.Helper()
	w := &Worker{T: t, asked: asked, last: map[string]vault.Renewal{}}
	entries := memstore.New()
	t.Cleanup(func() { _ = entries.Close() }) // nothing to save
	var err error
	w.Vault, err = vault.New(vault.Config{
		Store: entries, Keys: []vault.Key{vault.NewKey("k")}, Refreshers: refreshers, OnRenewal: w.renewed,
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Vault.Close(context.Background()); err != nil { // the test's context has ended
			t.Error(err)
		}
	})
	return w
}

func (w *Worker) renewed(r vault.Renewal) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last[r.Client] = r
}

// Put has the client of that name keep token under key, for good.
func (w *Worker) Put(key, client string, token *oauth2.Token) {
	w.Helper()
	entry := vault.Entry{Client: client, Token: token, Until: time.Now().AddDate(100, 0, 0)}
	if err := w.Vault.Put(w.Context(), key, entry); err != nil {
		w.Fatal(err)
	}
}

// Works fails unless there is a live token under key, and returns it.
func (w *Worker) Works(key string) *oauth2.Token {
	w.Helper()
	token, err := w.Vault.Token(w.Context(), key)
	if err != nil || !time.Now().Before(token.Expiry) {
		signIns, renewals := w.asked()
		w.Fatalf("after %d sign-ins and %d renewals: got %v, %v", signIns, renewals, token, err)
	}
	return token
}

// AllWork fails unless fifty who ask at once get the same live token, and returns it.
func (w *Worker) AllWork(key string) *oauth2.Token {
	w.Helper()
	const callers = 50
	tokens, errs := make([]*oauth2.Token, callers), make([]error, callers)
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() { tokens[i], errs[i] = w.Vault.Token(w.Context(), key) })
	}
	all.Wait()
	token := w.Works(key)
	for i, got := range tokens {
		if errs[i] != nil || got.AccessToken != token.AccessToken {
			w.Errorf("caller %d got %v, %v", i, got, errs[i])
		}
	}
	return token
}

// Waits fails unless there is no token under key just now, but may be one later.
func (w *Worker) Waits(key string) *vault.UnavailableError {
	w.Helper()
	_, err := w.Vault.Token(w.Context(), key)
	later, ok := errors.AsType[*vault.UnavailableError](err)
	if !ok {
		w.Fatalf("got %v, want an UnavailableError", err)
	}
	return later
}

// Counts fails unless the server has got so many requests, once the renewals under way have settled.
func (w *Worker) Counts(signIns, renewals int) {
	w.Helper()
	synctest.Wait()
	if s, r := w.asked(); s != signIns || r != renewals {
		w.Errorf("%d sign-ins and %d renewals, want %d and %d", s, r, signIns, renewals)
	}
}

// Last is the client's last renewal, once those under way have been reported: callers get their tokens before.
func (w *Worker) Last(client string) vault.Renewal {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last[client]
}
