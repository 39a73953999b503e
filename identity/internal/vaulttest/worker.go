// Package vaulttest tests refreshers in a vault, on virtual time. A [Worker] has
// a vault; a [Suite] checks what every refresher of a token API must do.
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

// A Worker has a vault that renews its tokens, in a synctest bubble.
type Worker struct {
	*testing.T
	Vault *vault.Vault
	asked func() (signIns, renewals int)

	mu   sync.Mutex
	last map[string]vault.Renewal
}

// New returns a worker whose vault is empty and has these refreshers, by the
// clients' names, until the test ends. asked returns how many requests of each
// kind the server got so far.
func New(t *testing.T, refreshers map[string]vault.Refresher, asked func() (signIns, renewals int)) *Worker {
	t.Helper()
	w := &Worker{T: t, asked: asked, last: map[string]vault.Renewal{}}
	entries := memstore.New()
	t.Cleanup(func() { _ = entries.Close() })
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

// Put stores token under key, for the client of that name and without an end.
func (w *Worker) Put(key, client string, token *oauth2.Token) {
	w.Helper()
	entry := vault.Entry{Client: client, Token: token}
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
		w.Fatalf("after %d sign-ins and %d renewals: got %v, %v, want a live token", signIns, renewals, token, err)
	}
	return token
}

// AllWork fails unless fifty concurrent callers get the same live token, and
// returns it.
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
			w.Errorf("caller %d got %v, %v, want the token of the others", i, got, errs[i])
		}
	}
	return token
}

// Waits fails unless the token under key is unavailable, and returns the error.
func (w *Worker) Waits(key string) *vault.UnavailableError {
	w.Helper()
	_, err := w.Vault.Token(w.Context(), key)
	later, ok := errors.AsType[*vault.UnavailableError](err)
	if !ok {
		w.Fatalf("got %v, want an UnavailableError", err)
	}
	return later
}

// Counts waits for the running renewals and fails unless the server got so many
// requests.
func (w *Worker) Counts(signIns, renewals int) {
	w.Helper()
	synctest.Wait()
	if s, r := w.asked(); s != signIns || r != renewals {
		w.Errorf("got %d sign-ins and %d renewals, want %d and %d", s, r, signIns, renewals)
	}
}

// Last waits for the reports of running renewals, which come after their tokens,
// and returns the client's last one.
func (w *Worker) Last(client string) vault.Renewal {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last[client]
}
