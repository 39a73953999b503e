package main

import (
	"errors"
	"time"

	"b2trader.identity.auth/identity/b2binpay"
	"b2trader.identity.auth/identity/b2core"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/traderevolution"
	"b2trader.identity.auth/identity/tradevest"
	"b2trader.identity.auth/web"
)

// people is the pace of those who press buttons: more often than programs need tokens.
var people = tokenapi.Pace{Interval: time.Second}

// b2traderPlatform is B2Trader itself, by a machine's client.
func b2traderPlatform(m web.MachineIdentity, call string) (web.Platform, error) {
	keeper, err := m.Client.Keeper(tokenapi.Account{Login: m.Email, Password: m.Password, Pace: people})
	return web.Platform{
		ID: "b2trader", Name: "B2Trader", Account: m.Email, Facts: b2traderFacts(),
		About:     "The IdentityServer of the trading platform itself, with the machine-to-machine client " + m.Client.ID() + ".",
		Refresher: keeper, Call: web.PlatformCall{URL: call},
	}, err
}

func b2corePlatform(config b2core.Config, call string) (web.Platform, error) {
	client, err := b2core.New(config)
	if err != nil {
		return web.Platform{}, err
	}
	return web.Platform{
		ID: "b2core", Name: "B2Core platforms", Facts: b2coreFacts(),
		About:     "Whoever is signed in to B2Core can go on to B2Trader: the token of the one is exchanged for one of the other.",
		Refresher: client, Call: web.PlatformCall{URL: call},
	}, nil
}

func traderEvolutionPlatform(config traderevolution.Config, a tokenapi.Account, call string) (web.Platform, error) {
	client, err := traderevolution.New(config)
	if err := errors.Join(err, a.Validate()); err != nil {
		return web.Platform{}, err
	}
	a.Pace = people
	keeper, err := client.Keeper(a)
	return web.Platform{
		ID: "traderevolution", Name: "TraderEvolution Back Office", Account: a.Login, Facts: traderEvolutionFacts(),
		About:     "The REST API of the back office of another trading platform.",
		Refresher: keeper, Call: web.PlatformCall{URL: call},
	}, err
}

func tradevestPlatform(config tradevest.Config, call string) (web.Platform, error) {
	client, err := tradevest.New(config)
	if err != nil {
		return web.Platform{}, err
	}
	keeper, err := client.Keeper(people)
	return web.Platform{
		ID: "tradevest", Name: "Tradevest", Account: config.ClientID, Facts: tradevestFacts(),
		About:     "The partner API of an investment platform: machines only.",
		Refresher: keeper, Call: web.PlatformCall{URL: call, Transport: client.Transport(web.NewAPITransport())},
	}, err
}

func b2binpayPlatform(config b2binpay.Config, a tokenapi.Account, call string) (web.Platform, error) {
	client, err := b2binpay.New(config)
	if err := errors.Join(err, a.Validate()); err != nil {
		return web.Platform{}, err
	}
	a.Pace = people
	keeper, err := client.Keeper(a)
	return web.Platform{
		ID: "b2binpay", Name: "B2BINPAY", Account: a.Login, Facts: b2binpayFacts(),
		About:     "Crypto payments: deposits, payouts, and callbacks that tell of them.",
		Refresher: keeper, Call: web.PlatformCall{URL: call},
	}, err
}
