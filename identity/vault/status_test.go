package vault_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/vault"
)

func (p *process) status() vault.Status {
	p.Helper()
	status, err := p.vault.Status(p.Context(), "k")
	if err != nil {
		p.Fatal(err)
	}
	return status
}

// A caller whose use started a renewal can wait for its result.
func TestAwait(t *testing.T) {
	inCluster(t, 1, func(c *cluster, p *process) {
		p.signIn("k")
		awaited := func(ctx context.Context, key string, want time.Duration, wantErr error) {
			c.Helper()
			began := time.Now()
			if err := p.vault.Await(ctx, key); !errors.Is(err, wantErr) || time.Since(began) != want {
				c.Errorf("Await(%q) = %v after %v, want %v after %v", key, err, time.Since(began), wantErr, want)
			}
		}
		awaited(c.Context(), "k", 0, nil)
		awaited(c.Context(), "unknown", 0, nil)

		pass(21 * time.Second)
		c.server.Inject(identitytest.EndpointToken, identitytest.Fault{DelayBefore: 5 * time.Second})
		p.token("k")
		short, cancel := context.WithTimeout(c.Context(), time.Second)
		defer cancel()
		awaited(short, "k", time.Second, context.DeadlineExceeded)
		if n := p.status().Renewals; n != 0 {
			c.Errorf("%d renewals before one finished, want 0", n)
		}
		awaited(c.Context(), "k", 4*time.Second, nil)
		if n := p.status().Renewals; n != 1 {
			c.Errorf("%d renewals after the wait, want 1", n)
		}
		awaited(c.Context(), "k", 0, nil)
	})
}

// Status reports a failure until there is a successor.
func TestStatusReportsFailures(t *testing.T) {
	inCluster(t, 1, func(c *cluster, p *process) {
		p.signIn("k")
		pass(21 * time.Second)
		if s := p.status(); s.Failure != nil || !s.RetryAt.IsZero() {
			c.Errorf("before any renewal, Failure = %v, RetryAt = %v, want none", s.Failure, s.RetryAt)
		}
		c.server.Inject(identitytest.EndpointToken, identitytest.Fault{Status: 503, RetryAfter: "7"})
		p.token("k") // starts a renewal
		if err := p.vault.Await(c.Context(), "k"); err != nil {
			c.Error(err)
		}
		s := p.status()
		if !errors.Is(s.Failure, tokenapi.ErrUnavailable) || time.Until(s.RetryAt) != 7*time.Second || s.Renewals != 0 {
			c.Errorf("after a failure, Status = %+v, want the failure and a retry in 7 s", s)
		}
		pass(8 * time.Second)
		if s := p.status(); s.Failure == nil {
			c.Error("after the pause, Failure = nil, want the failure")
		}
		p.token("k")
		c.wantRefreshes(2)
		if s := p.status(); s.Failure != nil || !s.RetryAt.IsZero() || s.Renewals != 1 {
			c.Errorf("after a success, Status = %+v, want one renewal and no failure", s)
		}
	})
}

// Each process reports how often it has used the token, and its limit.
func TestStatusCountsUses(t *testing.T) {
	inBudget(t, 2, 30, func(c *cluster, p *process) {
		other := c.processes[1]
		wantUses := func(p *process, want int) {
			c.Helper()
			if s := p.status(); s.Uses != want || s.MaxUses != 30 {
				c.Errorf("Status reports %d of %d uses, want %d of 30", s.Uses, s.MaxUses, want)
			}
		}
		wantUses(p, 1)
		wantUses(p, 1) // Status is no use
		other.use(1)
		wantUses(p, 1)
		wantUses(other, 2)
		c.fault(identitytest.Fault{Status: 503, Times: -1})
		p.use(35) // beyond the limit, because there is no successor
		wantUses(p, 30)
	})
	inCluster(t, 1, func(c *cluster, p *process) {
		p.signIn("k")
		p.token("k")
		if s := p.status(); s.Uses != 0 || s.MaxUses != 0 {
			c.Errorf("Status without a limit reports %d of %d uses, want 0 of 0", s.Uses, s.MaxUses)
		}
	})
}

// The ID token is read from the store: the newest that a server has sent.
func TestIDToken(t *testing.T) {
	inCluster(t, 2, func(c *cluster, p *process) {
		other := c.processes[1]
		first := p.signIn("k").Extra("id_token")
		read := func(from *process) string {
			c.Helper()
			idToken, err := from.vault.IDToken(c.Context(), "k")
			if err != nil {
				c.Fatal(err)
			}
			return idToken.Reveal()
		}
		if got := read(other); got != first {
			c.Errorf("IDToken = %q, want %q of the sign-in", got, first)
		}
		pass(31 * time.Second)
		if token := p.token("k"); token.Extra("id_token") != nil {
			c.Error("Token has an ID token, want none")
		}
		renewed := read(p)
		if renewed == first || renewed != read(other) {
			c.Error("IDToken after a renewal = the first one, or differs between processes, want the same new one")
		}
		p.link.cut(errors.New("cut"))
		if _, err := p.vault.IDToken(c.Context(), "k"); c.wantUnavailable(err) == 0 {
			c.Errorf("IDToken without the store = %v, want an UnavailableError", err)
		}
		p.link.cut(nil)
		if _, err := other.vault.Delete(c.Context(), "k"); err != nil {
			c.Fatal(err)
		}
		if _, err := p.vault.IDToken(c.Context(), "k"); !errors.Is(err, vault.ErrNotFound) {
			c.Errorf("IDToken of a deleted entry = %v, want %v", err, vault.ErrNotFound)
		}
	})
}
