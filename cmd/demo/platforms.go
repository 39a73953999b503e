package main

import (
	"context"
	"errors"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/cmd/demo/showcase"
	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/b2binpay"
	"b2trader.identity.auth/identity/b2core"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/traderevolution"
	"b2trader.identity.auth/identity/tradevest"
	"b2trader.identity.auth/web"
)

// people is the pace of users who press buttons, faster than that of programs.
var people = tokenapi.Pace{Interval: time.Second}

// b2traderPlatform returns B2Trader itself, by a machine's client.
func b2traderPlatform(m machineAccount) (showcase.Platform, error) {
	keeper, err := m.client.Keeper(tokenapi.Account{Login: m.email, Password: m.password, Pace: people})
	p := showcase.Platform{
		ID: "b2trader", Name: "B2Trader", Account: m.email,
		About: "The IdentityServer of the trading platform itself, with the machine-to-machine client " + m.client.ID() + ".",
		Warning: "This uses the password grant, which RFC 9700 section 2.4 forbids. The platform offers machines no other way, " +
			"so only administrators can use it here.",
		Refresher: keeper, SignOut: m.signOut, Call: showcase.Call{URL: m.call},
	}
	if m.client.ID() != identity.ClientCoreIB {
		p.ID, p.Name = p.ID+"-"+m.client.ID(), p.Name+" "+m.client.ID()
	}
	return p, err
}

// signOut revokes a token at the IdentityServer, which wants a live bearer for
// that.
func (m machineAccount) signOut(ctx context.Context, token *oauth2.Token) error {
	if !token.Valid() {
		next, err := m.client.Refresh(ctx, token)
		if err != nil {
			return err
		}
		token = next
	}
	return m.client.SignOut(ctx, token.AccessToken, token.RefreshToken)
}

func b2corePlatform(config b2core.Config, call string) (showcase.Platform, error) {
	client, err := b2core.New(config)
	if err != nil {
		return showcase.Platform{}, err
	}
	return showcase.Platform{
		ID: "b2core", Name: "B2Core platforms",
		About:     "Users of B2Core can go on to B2Trader: the token of B2Core is exchanged for one of B2Trader.",
		Refresher: client, Call: showcase.Call{URL: call},
	}, nil
}

func traderEvolutionPlatform(config traderevolution.Config, a tokenapi.Account, call string) (showcase.Platform, error) {
	client, err := traderevolution.New(config)
	if err := errors.Join(err, a.Validate()); err != nil {
		return showcase.Platform{}, err
	}
	a.Pace = people
	keeper, err := client.Keeper(a)
	return showcase.Platform{
		ID: "traderevolution", Name: "TraderEvolution Back Office", Account: a.Login,
		About:     "The REST API of the back office of another trading platform.",
		Refresher: keeper, Call: showcase.Call{URL: call},
	}, err
}

func tradevestPlatform(config tradevest.Config, call string) (showcase.Platform, error) {
	client, err := tradevest.New(config)
	if err != nil {
		return showcase.Platform{}, err
	}
	keeper, err := client.Keeper(people)
	return showcase.Platform{
		ID: "tradevest", Name: "Tradevest", Account: config.ClientID,
		About:     "The partner API of an investment platform: machines only.",
		Refresher: keeper, Call: showcase.Call{URL: call, Transport: client.Transport(web.NewAPITransport())},
	}, err
}

func b2binpayPlatform(config b2binpay.Config, a tokenapi.Account, call string) (showcase.Platform, error) {
	client, err := b2binpay.New(config)
	if err := errors.Join(err, a.Validate()); err != nil {
		return showcase.Platform{}, err
	}
	a.Pace = people
	keeper, err := client.Keeper(a)
	return showcase.Platform{
		ID: "b2binpay", Name: "B2BINPAY", Account: a.Login,
		About:     "Crypto payments: deposits, payouts, and callbacks for both.",
		Refresher: keeper, Call: showcase.Call{URL: call},
	}, err
}

func b2binpayV3Platform(config b2binpay.V3Config, call string) (showcase.Platform, error) {
	client, err := b2binpay.NewV3Client(config)
	if err != nil {
		return showcase.Platform{}, err
	}
	keeper, err := client.Keeper(people)
	return showcase.Platform{
		ID: "b2binpay-v3", Name: "B2BINPAY version 3", Account: config.ClientID,
		About:     "Crypto payments by the new API: a token of an hour, and no refresh token.",
		Refresher: keeper, Call: showcase.Call{URL: call},
	}, err
}
