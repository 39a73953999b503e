package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/b2binpay"
	"b2trader.identity.auth/identity/b2binpay/b2binpaytest"
	"b2trader.identity.auth/identity/b2core"
	"b2trader.identity.auth/identity/b2core/b2coretest"
	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/traderevolution"
	"b2trader.identity.auth/identity/traderevolution/traderevolutiontest"
	"b2trader.identity.auth/identity/tradevest"
	"b2trader.identity.auth/identity/tradevest/tradevesttest"
	"b2trader.identity.auth/identity/vault"
)

// A neighbour is one of the five systems, kept alive by a vault.
type neighbour struct {
	name    string
	renews  vault.Refresher
	api     string            // what it is used for
	network http.RoundTripper // to its server
	rhythm  rhythm            // of its renewals
	life    time.Duration     // of an access token
	kept    time.Duration     // how much of the week

	signIns   func() int // so far
	refreshes func() int // by refresh token

	fault  func(apitest.Fault) // of its token endpoints
	clear  func()              // of the faults
	expire func()              // its access tokens, now
	revoke func()              // its refresh tokens; nil: there are none
}

const week = 7 * 24 * time.Hour

// neighbours are the five, each with its own server and the lifetimes of its vendor's documents. asked is how often each API is
// called.
func neighbours(t *testing.T, asked time.Duration) []neighbour {
	t.Helper()
	password := tokenapi.Fixed

	b2traderKept := 24 * time.Hour // making the signatures of a week takes a minute
	if os.Getenv("B2TRADER_TEST_LONG") == "1" {
		b2traderKept = week
	}
	b2trader := must(identitytest.New(identitytest.Config{}))(t)
	b2traderClient := must(identity.New(identity.Config{
		URL: "https://trader.example.com", ClientID: identity.ClientCoreIB, ClientSecret: identity.NewSecret("core_ib-secret"),
		Transport: b2trader.Transport(),
	}))(t)
	machine := must(b2traderClient.Keeper(tokenapi.Account{Login: "machine@example.com", Password: password("machine-password")}))(t)

	b2coreServer := must(b2coretest.New(b2coretest.Config{}))(t)
	b2coreClient := must(b2core.New(b2core.Config{
		URL: "https://b2core.example.com", Bearer: b2coreServer.Bearer, CountryCode: "+995", CountryName: "Georgia",
		HTTP: tokenapi.HTTP{Transport: b2coreServer.Transport()},
	}))(t)

	const evolutionURL = "https://sandbox.traderevolution.com:8443/proftrading/rest"
	evolution := must(traderevolutiontest.New(traderevolutiontest.Config{}))(t)
	evolutionClient := must(traderevolution.New(traderevolution.Config{
		URL: evolutionURL, HTTP: tokenapi.HTTP{Transport: evolution.Transport()},
	}))(t)
	evolutionKeeper := must(evolutionClient.Keeper(tokenapi.Account{
		Login: traderevolutiontest.SampleLogin, Password: password(traderevolutiontest.SamplePassword),
	}))(t)

	vest := must(tradevesttest.New(tradevesttest.Config{}))(t)
	vestClient := must(tradevest.New(tradevest.Config{
		ClientID: tradevesttest.SampleClientID, ClientSecret: password(tradevesttest.SampleClientSecret),
		RequestorID: "7d44a1f6-7f5c-4b8e-9a0c-2f1f3f6f1c55", HTTP: tokenapi.HTTP{Transport: vest.Transport()},
	}))(t)

	pay := must(b2binpaytest.New(b2binpaytest.Config{MaxUses: 40}))(t)
	payClient := must(b2binpay.New(b2binpay.Config{HTTP: tokenapi.HTTP{Transport: pay.Transport()}}))(t)
	payKeeper := must(payClient.Keeper(tokenapi.Account{Login: b2binpaytest.SampleLogin, Password: password(b2binpaytest.SamplePassword)}))(t)

	return []neighbour{
		{
			name: "b2trader", renews: machine, api: "https://trader.example.com/backoffice/api/v1/clients", network: b2trader.Transport(),
			signIns: func() int { return b2trader.Grants("password") }, refreshes: func() int { return b2trader.Grants("refresh_token") },
			life: 30 * time.Second, rhythm: due(30*time.Second, asked, 0), kept: b2traderKept,
			fault: func(f apitest.Fault) {
				b2trader.Inject(identitytest.EndpointToken, identitytest.Fault{Times: f.Times, Status: f.Status, LoseAnswer: f.LoseAnswer})
			},
			clear: b2trader.ClearFaults, revoke: func() { b2trader.RevokeTokens("machine@example.com") },
			expire: func() { b2trader.ExpireTokens("machine@example.com") },
		},
		neighbour{
			name: "b2core", renews: b2coreClient, api: "https://b2core.example.com" + b2coretest.APIPath, network: b2coreServer.Transport(),
			life: time.Minute, rhythm: due(time.Minute, asked, 0), expire: b2coreServer.ExpireTokens, revoke: b2coreServer.RevokeRefreshTokens,
		}.at(b2coreServer.Server, b2coretest.EndpointAuth, b2coretest.EndpointRefresh),
		neighbour{
			name: "traderevolution", renews: evolutionKeeper, api: evolutionURL + traderevolutiontest.APIPath, network: evolution.Transport(),
			life: 5 * time.Minute, rhythm: due(5*time.Minute, asked, 0), expire: evolution.ExpireTokens, revoke: evolution.RevokeRefreshTokens,
		}.at(evolution.Server, traderevolutiontest.EndpointToken, traderevolutiontest.EndpointRefresh),
		neighbour{
			name: "tradevest", renews: must(vestClient.Keeper(tokenapi.Pace{}))(t), api: "https://tvda-api.platform-test.tradevest.ai" + tradevesttest.APIPath,
			network: vestClient.Transport(vest.Transport()), life: time.Hour, rhythm: due(time.Hour, asked, 0), expire: vest.ExpireTokens,
		}.at(vest.Server, tradevesttest.EndpointToken),
		neighbour{
			name: "b2binpay", renews: payKeeper, api: b2binpay.SandboxURL + b2binpaytest.APIPath, network: pay.Transport(),
			life: 15 * time.Minute, rhythm: due(15*time.Minute, asked, 30), expire: pay.ExpireTokens, revoke: pay.RevokeRefreshTokens,
		}.at(pay.Server, b2binpaytest.EndpointToken, b2binpaytest.EndpointRefresh),
	}
}

// at adds what the test server of n tells and does on command, at the endpoint for sign-ins and, if there is one, that for refreshes. Such a
// neighbour is kept all week.
func (n neighbour) at(s *apitest.Server, signIn apitest.Endpoint, refresh ...apitest.Endpoint) neighbour {
	n.kept = week
	n.signIns = func() int { return s.Count(signIn) }
	n.refreshes = func() int {
		total := 0
		for _, e := range refresh {
			total += s.Count(e)
		}
		return total
	}
	n.fault = func(f apitest.Fault) {
		for _, e := range append(refresh, signIn) {
			s.Inject(e, f)
		}
	}
	n.clear = s.ClearFaults
	return n
}

// calls are its token requests so far.
func (n neighbour) calls() int { return n.signIns() + n.refreshes() }

// refreshable reports whether there are refresh tokens.
func (n neighbour) refreshable() bool { return n.revoke != nil }

// due says when a token that lives so long, and may be used so often, is renewed if it is asked for in that rhythm: at the first time
// after two thirds of either. Who waits for the first token has used it once already, so that a budget ends a step early.
func due(life, asked time.Duration, uses int) rhythm {
	byLife := (life*2/3 + asked - 1) / asked * asked
	if byUses := time.Duration(uses*2/3) * asked; uses > 0 && byUses < byLife {
		return rhythm{every: byUses, early: asked}
	}
	return rhythm{every: byLife}
}

// A rhythm is how often a token is renewed, and how much sooner the first time.
type rhythm struct{ every, early time.Duration }

// calls is how many token requests that makes until then, the first sign-in included.
func (r rhythm) calls(until time.Duration) int { return 1 + int((until+r.early)/r.every) }

// must returns what a constructor returned, or fails the test.
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// keep puts the five into one vault, which signs in to all of them.
func keep(t *testing.T, all []neighbour) *vault.Vault {
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

// use calls the API of a system with its token. Its error is that there was none.
func (n neighbour) use(t *testing.T, v *vault.Vault) error {
	t.Helper()
	client := http.Client{Transport: &vault.Transport{Vault: v, Key: n.name, Base: n.network}}
	resp, err := client.Get(n.api)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		t.Fatalf("%s: %v", n.name, err)
	}
	if resp.StatusCode != http.StatusOK || len(body) == 0 {
		return fmt.Errorf("%s answered %d %q", n.name, resp.StatusCode, body)
	}
	return nil
}

// A week of all five in one vault, used every 20 seconds, day and night: never a moment without a token, one sign-in, and not one
// refresh more than the lives and budgets of the tokens demand. The week of B2Trader has one day, unless B2TRADER_TEST_LONG is 1.
func TestNeighboursForAWeek(t *testing.T) {
	const asked = 20 * time.Second
	synctest.Test(t, func(t *testing.T) {
		all := neighbours(t, asked)
		v := keep(t, all)
		for elapsed := time.Duration(0); elapsed < week; elapsed += asked {
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

// Whatever happens to a token endpoint or to the tokens, the session comes back by itself, within half a minute of the end of it, and nobody
// floods the server meanwhile.
func TestNeighboursSurvive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := neighbours(t, time.Minute)
		v := keep(t, all)
		none, one := bounds{0, 0}, bounds{1, 1}
		for _, n := range all {
			for _, c := range []struct {
				name    string
				strike  func()
				wait    time.Duration // until the token is asked for
				calls   bounds        // that the way back takes
				signIns bounds        // among them, where there are refresh tokens
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

// sitOut asks for the token of a system that has none to give, every second for so long, and ends the outage.
func (n neighbour) sitOut(t *testing.T, v *vault.Vault, d time.Duration) {
	t.Helper()
	before := n.calls()
	for range d / time.Second {
		if later, ok := errors.AsType[*vault.UnavailableError](n.use(t, v)); !ok || later.RetryAfter <= 0 {
			t.Fatalf("%s in an outage: got %v", n.name, later)
		}
		<-time.After(time.Second)
	}
	if calls := n.calls() - before; calls > int(d/(8*time.Second)) {
		t.Errorf("%s was asked %d times in an outage of %v", n.name, calls, d)
	}
	n.clear()
}

// bounds are the least and the most that there may be of something.
type bounds struct{ least, most int }

func (b bounds) holds(n int) bool { return b.least <= n && n <= b.most }

// returns uses the system, again and again for half a minute, until it works. It is an error if its session has ended, or if that takes
// another number of token requests, or of sign-ins among them where there are refresh tokens.
func (n neighbour) returns(t *testing.T, v *vault.Vault, after string, calls, signIns bounds) {
	t.Helper()
	callsBefore, signInsBefore := n.calls(), n.signIns()
	err := n.use(t, v)
	for range 30 {
		if err == nil {
			break
		}
		if errors.Is(err, vault.ErrEnded) || errors.Is(err, vault.ErrNotFound) {
			break
		}
		<-time.After(time.Second)
		err = n.use(t, v)
	}
	if err != nil {
		t.Errorf("%s after %s: %v", n.name, after, err)
	}
	if got := n.calls() - callsBefore; !calls.holds(got) {
		t.Errorf("%s after %s: %d token requests, want %v", n.name, after, got, calls)
	}
	if got := n.signIns() - signInsBefore; n.refreshable() && !signIns.holds(got) {
		t.Errorf("%s after %s: %d sign-ins, want %v", n.name, after, got, signIns)
	}
}
