package e2e

import (
	"net/http"
	"os"
	"testing"
	"time"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/b2binpay"
	"b2trader.identity.auth/identity/b2binpay/b2binpaytest"
	"b2trader.identity.auth/identity/b2core"
	"b2trader.identity.auth/identity/b2core/b2coretest"
	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/traderevolution"
	"b2trader.identity.auth/identity/traderevolution/traderevolutiontest"
	"b2trader.identity.auth/identity/tradevest"
	"b2trader.identity.auth/identity/tradevest/tradevesttest"
	"b2trader.identity.auth/identity/vault"
)

// system is one of the five token systems. A vault keeps its token alive.
type system struct {
	name    string
	renews  vault.Refresher
	api     string            // URL to call with the token
	network http.RoundTripper // leads to the test server
	rhythm  rhythm            // of the renewals
	life    time.Duration     // of an access token
	kept    time.Duration     // how long it is simulated

	signIns   func() int // so far
	refreshes func() int // so far, by refresh token

	fault  func(apitest.Fault) // injects a fault at the token endpoints
	clear  func()              // removes the faults
	expire func()              // ends all access tokens
	revoke func()              // ends all refresh tokens; nil: the system has none
}

const workingDay = 8 * time.Hour

// long reports whether tests are to take long.
func long() bool { return os.Getenv("B2TRADER_TEST_LONG") == "1" }

// simulated returns d, or a week if tests are to take long.
func simulated(d time.Duration) time.Duration {
	if long() {
		return 7 * 24 * time.Hour
	}
	return d
}

// systems returns the five, B2Core by its own sign-in, too, each with a test server and the lifetimes of its
// vendor's documents. Each API is called once per asked.
func systems(t *testing.T, asked time.Duration) []system {
	t.Helper()
	password := tokenapi.Fixed

	b2trader := must(identitytest.New(identitytest.Config{}))(t)
	b2traderClient := must(identity.New(identity.Config{
		URL: "https://trader.example.com", ClientID: identity.ClientCoreIB, ClientSecret: tokenapi.NewSecret("core_ib-secret"),
		HTTP: tokenapi.HTTP{Transport: b2trader.Transport()},
	}))(t)
	machine := must(b2traderClient.Keeper(tokenapi.Account{Login: "machine@example.com", Password: password("machine-password")}))(t)

	b2coreServer := must(b2coretest.New(b2coretest.Config{}))(t)
	b2coreClient := must(b2core.New(b2core.Config{
		URL: "https://b2core.example.com", Bearer: b2coreServer.Bearer, CountryCode: "+995", CountryName: "Georgia",
		HTTP: tokenapi.HTTP{Transport: b2coreServer.Transport()},
	}))(t)

	coreServer := must(b2coretest.New(b2coretest.Config{}))(t)
	coreClient := must(b2core.NewSessionClient(b2core.SessionConfig{URL: "https://b2core.example.com", HTTP: tokenapi.HTTP{Transport: coreServer.Transport()}}))(t)
	coreKeeper := must(coreClient.Keeper(tokenapi.Account{Login: b2coretest.SampleEmail, Password: password(b2coretest.SamplePassword)}))(t)

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

	return []system{
		{
			name: "b2trader", renews: machine, api: "https://trader.example.com/backoffice/api/v1/clients", network: b2trader.Transport(),
			signIns: func() int { return b2trader.Grants("password") }, refreshes: func() int { return b2trader.Grants("refresh_token") },
			life: 30 * time.Second, rhythm: due(30*time.Second, asked, 0), kept: simulated(2 * time.Hour),
			fault: func(f apitest.Fault) {
				b2trader.Inject(identitytest.EndpointToken, identitytest.Fault{Times: f.Times, Status: f.Status, LoseAnswer: f.LoseAnswer})
			},
			clear: b2trader.ClearFaults, revoke: func() { b2trader.RevokeTokens("machine@example.com") },
			expire: func() { b2trader.ExpireTokens("machine@example.com") },
		},
		system{
			name: "b2core", renews: b2coreClient, api: "https://b2core.example.com" + b2coretest.APIPath, network: b2coreServer.Transport(),
			life: time.Minute, rhythm: due(time.Minute, asked, 0), expire: b2coreServer.ExpireTokens, revoke: b2coreServer.RevokeRefreshTokens,
		}.at(b2coreServer.Server, b2coretest.EndpointAuth, b2coretest.EndpointRefresh),
		system{
			name: "b2core session", renews: coreKeeper, api: "https://b2core.example.com/api/v2/my/platforms", network: coreServer.Transport(),
			life: 10 * time.Minute, rhythm: due(10*time.Minute, asked, 0), expire: coreServer.ExpireBearers, revoke: coreServer.RevokeSessionRefreshTokens,
		}.at(coreServer.Server, b2coretest.EndpointSignIn, b2coretest.EndpointSessionRefresh),
		system{
			name: "traderevolution", renews: evolutionKeeper, api: evolutionURL + traderevolutiontest.APIPath, network: evolution.Transport(),
			life: 5 * time.Minute, rhythm: due(5*time.Minute, asked, 0), expire: evolution.ExpireTokens, revoke: evolution.RevokeRefreshTokens,
		}.at(evolution.Server, traderevolutiontest.EndpointToken, traderevolutiontest.EndpointRefresh),
		system{
			name: "tradevest", renews: must(vestClient.Keeper(tokenapi.Pace{}))(t), api: "https://tvda-api.platform-test.tradevest.ai" + tradevesttest.APIPath,
			network: vestClient.Transport(vest.Transport()), life: time.Hour, rhythm: due(time.Hour, asked, 0), expire: vest.ExpireTokens,
		}.at(vest.Server, tradevesttest.EndpointToken),
		system{
			name: "b2binpay", renews: payKeeper, api: b2binpay.SandboxURL + b2binpaytest.APIPath, network: pay.Transport(),
			life: 15 * time.Minute, rhythm: due(15*time.Minute, asked, 30), expire: pay.ExpireTokens, revoke: pay.RevokeRefreshTokens,
		}.at(pay.Server, b2binpaytest.EndpointToken, b2binpaytest.EndpointRefresh),
	}
}

// at connects s to its test server, with the endpoints for sign-ins and
// refreshes.
func (s system) at(server *apitest.Server, signIn apitest.Endpoint, refresh ...apitest.Endpoint) system {
	s.kept = simulated(workingDay)
	s.signIns = func() int { return server.Count(signIn) }
	s.refreshes = func() int {
		total := 0
		for _, e := range refresh {
			total += server.Count(e)
		}
		return total
	}
	s.fault = func(f apitest.Fault) {
		for _, e := range append(refresh, signIn) {
			server.Inject(e, f)
		}
	}
	s.clear = server.ClearFaults
	return s
}

// calls returns the number of token requests so far.
func (s system) calls() int { return s.signIns() + s.refreshes() }

// refreshable reports whether the system has refresh tokens.
func (s system) refreshable() bool { return s.revoke != nil }

// rhythm is the time between two renewals. The first comes early sooner.
type rhythm struct{ every, early time.Duration }

// due returns the rhythm of a token with that life and that budget of uses (0:
// any number) if it is used once per asked. The vault renews it at the first
// use after two thirds of its life or of its budget. The sign-in itself is
// followed by one more use, so a budget ends one use early.
func due(life, asked time.Duration, uses int) rhythm {
	byLife := (life*2/3 + asked - 1) / asked * asked
	if byUses := time.Duration(uses*2/3) * asked; uses > 0 && byUses < byLife {
		return rhythm{every: byUses, early: asked}
	}
	return rhythm{every: byLife}
}

// calls returns the number of token requests until then, with the sign-in.
func (r rhythm) calls(until time.Duration) int { return 1 + int((until+r.early)/r.every) }
