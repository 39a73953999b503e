package oauth2refresher_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/oauth2"
	"golang.org/x/sync/errgroup"

	"b2trader.identity.auth/identity/oauth2refresher"
	"b2trader.identity.auth/identity/store/redisstore"
	"b2trader.identity.auth/identity/vault"
)

// The variables that make the test binary a process that renews the entry.
const (
	renewerStore    = "B2TRADER_TEST_RENEWER_STORE"
	renewerProvider = "B2TRADER_TEST_RENEWER_PROVIDER"
)

func TestMain(m *testing.M) {
	if store := os.Getenv(renewerStore); store != "" {
		fmt.Fprintln(os.Stderr, renewOnRequest(context.Background(), store, os.Getenv(renewerProvider)))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// renewOnRequest reads stale access tokens, one a line. It renews each by
// several callers at once, and prints the access token that all of them got.
func renewOnRequest(ctx context.Context, store, provider string) error {
	tokens, closeAll, err := openVault(ctx, store, provider)
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		const callers = 8
		var all errgroup.Group
		var got [callers]string
		for i := range callers {
			all.Go(func() error {
				token, err := tokens.Renew(ctx, "k", &oauth2.Token{AccessToken: lines.Text()})
				if err != nil {
					return err
				}
				got[i] = token.AccessToken
				if token.Extra("scope") != "openid offline_access" || !token.Valid() {
					return errors.New("the token has expired, or lacks the scope")
				}
				if id, err := tokens.IDToken(ctx, "k"); id.IsZero() || err != nil {
					return errors.Join(errors.New("the entry has no ID token"), err)
				}
				return nil
			})
		}
		if err := all.Wait(); err != nil {
			return err
		}
		for _, token := range got {
			if token != got[0] {
				return errors.New("the callers got different tokens")
			}
		}
		fmt.Println(got[0])
	}
	return errors.Join(lines.Err(), closeAll())
}

// openVault opens the vault that the processes share.
func openVault(ctx context.Context, store, provider string) (_ *vault.Vault, closeAll func() error, err error) {
	r, err := oauth2refresher.New(oauth2refresher.Config{OAuth2: &oauth2.Config{
		ClientID: clientID, ClientSecret: secret, Endpoint: oauth2.Endpoint{TokenURL: provider + "/token"},
	}})
	if err != nil {
		return nil, nil, err
	}
	s, err := redisstore.Open(ctx, redisstore.Config{URL: store})
	if err != nil {
		return nil, nil, err
	}
	keys := []vault.Key{{ID: "first", Secret: bytes.Repeat([]byte("s"), 32)}}
	v, err := vault.New(vault.Config{Store: s, Keys: keys, Refreshers: map[string]vault.Refresher{"app": r}})
	if err != nil {
		return nil, nil, errors.Join(err, s.Close())
	}
	return v, func() error { return errors.Join(v.Close(context.WithoutCancel(ctx)), s.Close()) }, nil
}

// A renewer is a process that runs renewOnRequest.
type renewer struct {
	cmd   *exec.Cmd
	stdin io.Writer
	lines *bufio.Scanner
}

func startRenewer(t *testing.T, store, provider string) *renewer {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0]) // the context kills it at the end
	cmd.Env = append(os.Environ(), renewerStore+"="+store, renewerProvider+"="+provider)
	cmd.Stderr = os.Stderr
	stdin, err1 := cmd.StdinPipe()
	stdout, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return &renewer{cmd, stdin, bufio.NewScanner(stdout)}
}

// ask tells the process to renew the token.
func (r *renewer) ask(t *testing.T, stale string) {
	t.Helper()
	if _, err := fmt.Fprintln(r.stdin, stale); err != nil {
		t.Fatal(err)
	}
}

// answer returns the token that the process got for stale.
func (r *renewer) answer(t *testing.T, stale string) string {
	t.Helper()
	if !r.lines.Scan() || strings.TrimSpace(r.lines.Text()) == stale {
		t.Fatalf("the process answers %q, %v for the stale token %q, want another one", r.lines.Text(), r.lines.Err(), stale)
	}
	return r.lines.Text()
}
