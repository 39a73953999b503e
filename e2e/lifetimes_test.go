package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/vault"
)

// keep puts the five into one vault, which signs in to all of them.
func keep(t *testing.T, all []system) *vault.Vault {
	t.Helper()
	refreshers := make(map[string]vault.Refresher)
	for _, n := range all {
		refreshers[n.name] = n.renews
	}
	entries := memstore.New()
	v := must(vault.New(vault.Config{Store: entries, Keys: []vault.Key{vault.NewKey("k")}, Refreshers: refreshers}))(t)
	t.Cleanup(func() {
		if err := v.Close(context.Background()); err != nil {
			t.Error(err)
		}
		_ = entries.Close()
	})
	for _, n := range all {
		err := v.Put(t.Context(), n.name, vault.Entry{Owner: n.name, Client: n.name, Token: tokenapi.FirstToken(), Until: time.Now().AddDate(1, 0, 0)})
		if err != nil {
			t.Fatal(err)
		}
	}
	return v
}

// use calls the API of a system. It returns an error if the vault had no token
// or the API refused it.
func (s system) use(t *testing.T, v *vault.Vault) error {
	t.Helper()
	client := http.Client{Transport: &vault.Transport{Vault: v, Key: s.name, Base: s.network}}
	resp, err := client.Get(s.api)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		t.Fatalf("GET %s: %v", s.api, err)
	}
	if resp.StatusCode != http.StatusOK || len(body) == 0 {
		return fmt.Errorf("GET %s = %d %q", s.api, resp.StatusCode, body)
	}
	return nil
}

// TestNeighboursForAWeek uses all five every 20 seconds, from one vault. Each
// use gets a token, and the token requests are exactly those that the lives and
// budgets of the tokens demand. It simulates a working day, and two hours of
// B2Trader, whose signatures take longer, or with B2TRADER_TEST_LONG=1 a week of
// all.
func TestNeighboursForAWeek(t *testing.T) {
	t.Parallel()
	const asked = 20 * time.Second
	synctest.Test(t, func(t *testing.T) {
		all := systems(t, asked)
		v := keep(t, all)
		for elapsed := time.Duration(0); elapsed < simulated(workingDay); elapsed += asked {
			for _, n := range all {
				if elapsed >= n.kept {
					continue
				}
				if err := n.use(t, v); err != nil {
					t.Fatalf("after %v: %v", elapsed, err)
				}
			}
			<-time.After(asked)
		}
		for _, n := range all {
			signIns, refreshes := 1, n.rhythm.calls(n.kept-asked)-1
			if !n.refreshable() {
				signIns, refreshes = 1+refreshes, 0
			}
			if n.signIns() != signIns || n.refreshes() != refreshes {
				t.Errorf("%s: %d sign-ins and %d refreshes, want %d and %d: a token each %v",
					n.name, n.signIns(), n.refreshes(), signIns, refreshes, n.rhythm.every)
			}
		}
	})
}

// TestNeighboursSurvive breaks the token endpoints and the tokens. Each system
// works again within half a minute of the end of the trouble, after a bounded
// number of token requests.
func TestNeighboursSurvive(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		all := systems(t, time.Minute)
		v := keep(t, all)
		none, one := bounds{0, 0}, bounds{1, 1}
		for _, n := range all {
			for _, c := range []struct {
				name    string
				strike  func()
				wait    time.Duration // until the next use
				calls   bounds        // token requests until the system works
				signIns bounds        // among them, if the system has refresh tokens
			}{
				{"nothing", func() {}, 0, one, one},
				{"an outage", func() { n.fault(apitest.Fault{Times: -1, Status: http.StatusServiceUnavailable}) }, n.life + time.Second, one, none},
				{"a lost answer of each endpoint", func() { n.fault(apitest.Fault{LoseAnswer: true}) }, n.life + time.Second, bounds{2, 5}, bounds{1, 2}},
				{"a forgotten access token", n.expire, time.Second, one, none},
				{"a revoked refresh token", n.revoke, n.life + time.Second, bounds{2, 2}, one},
				{"a night", func() {}, 10 * time.Hour, bounds{1, 2}, bounds{0, 1}},
			} {
				if c.strike == nil {
					continue
				}
				c.strike()
				<-time.After(c.wait)
				if c.name == "an outage" {
					n.sitOut(t, v, 5*time.Minute)
				}
				n.returns(t, v, c.name, c.calls, c.signIns)
				n.clear()
			}
		}
	})
}

// sitOut uses a system in an outage every second for d, and ends the outage.
func (s system) sitOut(t *testing.T, v *vault.Vault, d time.Duration) {
	t.Helper()
	before := s.calls()
	for range d / time.Second {
		if later, ok := errors.AsType[*vault.UnavailableError](s.use(t, v)); !ok || later.RetryAfter <= 0 {
			t.Fatalf("%s in an outage: error = %v, want an UnavailableError with RetryAfter", s.name, later)
		}
		<-time.After(time.Second)
	}
	if calls, most := s.calls()-before, int(d/(8*time.Second)); calls > most {
		t.Errorf("%s: token requests in an outage of %v = %d, want at most %d", s.name, d, calls, most)
	}
	s.clear()
}

// bounds are the least and the most of a count.
type bounds struct{ least, most int }

func (b bounds) holds(n int) bool { return b.least <= n && n <= b.most }

// returns uses the system every second until it works, for at most half a
// minute. It fails the test if the entry ended or if the numbers of token
// requests and sign-ins are out of bounds.
func (s system) returns(t *testing.T, v *vault.Vault, after string, calls, signIns bounds) {
	t.Helper()
	callsBefore, signInsBefore := s.calls(), s.signIns()
	err := s.use(t, v)
	for range 30 {
		if err == nil {
			break
		}
		if errors.Is(err, vault.ErrEnded) || errors.Is(err, vault.ErrNotFound) {
			break
		}
		<-time.After(time.Second)
		err = s.use(t, v)
	}
	if err != nil {
		t.Errorf("%s after %s: %v", s.name, after, err)
	}
	if got := s.calls() - callsBefore; !calls.holds(got) {
		t.Errorf("%s after %s: %d token requests, want %v", s.name, after, got, calls)
	}
	if got := s.signIns() - signInsBefore; s.refreshable() && !signIns.holds(got) {
		t.Errorf("%s after %s: %d sign-ins, want %v", s.name, after, got, signIns)
	}
}
