package oauth2refresher_test

import (
	"bufio"
	"context"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/identitytest/npmclient"
	"b2trader.identity.auth/identity/oauth2refresher"
	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/vault"
)

// startProvider starts oidc-provider and returns its URL and a refresh token.
func startProvider(t *testing.T) (url, refreshToken string) {
	t.Helper()
	dir := npmclient.InstallPackage(t, "oidc-provider", "9.13.3")
	script, err := os.ReadFile("testdata/provider.mjs")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "provider.mjs")
	if err := os.WriteFile(path, script, 0o600); err != nil {
		t.Fatal(err)
	}
	node := exec.CommandContext(t.Context(), "node", path)
	node.Env = append(os.Environ(), "SECRET="+secret)
	out, err := node.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := node.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = node.Process.Kill(); _ = node.Wait() })
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if url, token, ok := strings.Cut(lines.Text(), " "); ok && strings.HasPrefix(url, "http://") {
			return url, token
		}
	}
	t.Fatal("the provider did not start")
	return "", ""
}

// Two vaults on one store, as of two processes, keep a foreign provider's token
// alive, however many callers renew it at once: each refresh token is sent once.
// The provider revokes all tokens of the family if one is sent twice.
func TestTwoProcessesAtAnotherProvider(t *testing.T) {
	const rounds, callers = 5, 8
	url, first := startProvider(t)
	var requests atomic.Int64
	observe := func(context.Context, tokenapi.Exchange) { requests.Add(1) }
	r := refresher(t, tokenapi.HTTP{Observe: observe}, url+"/token")

	store, keys := memstore.New(), []vault.Key{vault.NewKey("first")}
	var vaults []*vault.Vault
	for range 2 {
		v, err := vault.New(vault.Config{Store: store, Keys: keys, Refreshers: map[string]vault.Refresher{"app": r}})
		if err != nil {
			t.Fatal(err)
		}
		vaults = append(vaults, v)
	}
	t.Cleanup(func() {
		_ = errors.Join(vaults[0].Close(context.Background()), vaults[1].Close(context.Background()), store.Close())
	})
	expired := &oauth2.Token{RefreshToken: first, Expiry: time.Unix(1, 0)}
	if err := vaults[0].Put(t.Context(), "k", vault.Entry{Client: "app", Token: expired}); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{first: true}
	for round := range rounds {
		stale, err := vaults[0].Token(t.Context(), "k")
		if err != nil {
			t.Fatalf("round %d: Token() = %v, want a token", round, err)
		}
		var all sync.WaitGroup
		for i := range 2 * callers {
			all.Go(func() {
				if token, err := vaults[i%2].Renew(t.Context(), "k", stale); err != nil || token.AccessToken == stale.AccessToken {
					t.Errorf("round %d: Renew() = %v, want another token", round, err)
				}
			})
		}
		all.Wait()
		token, err := vaults[1].Token(t.Context(), "k")
		if err != nil || seen[token.RefreshToken] || token.Extra("id_token") == nil || token.Extra("scope") != "openid offline_access" || !token.Valid() {
			t.Fatalf("round %d: Token() = %v, want one with a new refresh token, the ID token and the scope", round, err)
		}
		seen[token.RefreshToken] = true
	}
	if got := requests.Load(); got != rounds+1 {
		t.Errorf("the provider got %d refresh requests in %d rounds, want one each and the first", got, rounds)
	}

	_, err := r.Refresh(t.Context(), expired) // reuse
	if got := tokenapi.OutcomeOf(err).Kind; got != tokenapi.Refused {
		t.Errorf("Refresh of a used token = %v of the kind %v, want it refused", err, got)
	}
	wrong := refresher(t, tokenapi.HTTP{}, url+"/token", func(c *oauth2refresher.Config) { c.OAuth2.ClientSecret = "wrong" })
	_, err = wrong.Refresh(t.Context(), expired)
	if e, ok := errors.AsType[*tokenapi.Error](err); !ok || e.Outcome().Kind != tokenapi.Misconfigured || e.StatusCode != http.StatusUnauthorized {
		t.Errorf("Refresh with a wrong secret = %v, want it misconfigured", err)
	}
}
