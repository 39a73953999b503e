package main

import (
	"context"
	"errors"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/b2binpay"
	"b2trader.identity.auth/identity/b2core"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/traderevolution"
	"b2trader.identity.auth/identity/tradevest"
	"b2trader.identity.auth/web"
)

// An account is a login whose password is asked each time.
type account struct {
	login    string
	password func() (tokenapi.Secret, error)
}

// check reports an account that nobody can sign in to.
func (a account) check() error {
	if a.login == "" {
		return errors.New("login is missing")
	}
	return nil
}

// signIn signs the account in by a call that takes login and password.
func (a account) signIn(call func(ctx context.Context, login, password string) (*oauth2.Token, error)) func(context.Context) (*oauth2.Token, error) {
	return func(ctx context.Context) (*oauth2.Token, error) {
		password, err := a.password()
		if err != nil {
			return nil, err
		}
		return call(ctx, a.login, password.Reveal())
	}
}

// at completes the platform p, whose client the account signs in by.
func (a account) at(p web.Platform, client interface {
	SignIn(ctx context.Context, login, password string) (*oauth2.Token, error)
	Keeper(login string, password func() (tokenapi.Secret, error)) (*tokenapi.Keeper, error)
}) (web.Platform, error) {
	keeper, err := client.Keeper(a.login, a.password)
	if err != nil {
		return web.Platform{}, err
	}
	p.Account, p.SignIn, p.Refresher = a.login, a.signIn(client.SignIn), keeper
	return p, nil
}

// b2traderPlatform is B2Trader itself, by a machine's client.
func b2traderPlatform(m web.MachineIdentity, call string) (web.Platform, error) {
	machine, err := identity.NewMachine(identity.MachineConfig{Client: m.Client, Email: m.Email, Password: m.Password})
	if err != nil {
		return web.Platform{}, err
	}
	return web.Platform{
		ID: "b2trader", Name: "B2Trader", Account: m.Email, Facts: b2traderFacts(),
		About:  "The IdentityServer of the trading platform itself, with the machine-to-machine client " + m.Client.ID() + ".",
		SignIn: account{m.Email, m.Password}.signIn(m.Client.MachineToMachineSignIn), Refresher: machine,
		Call: web.PlatformCall{URL: call},
	}, nil
}

func b2corePlatform(config b2core.Config, call string) (web.Platform, error) {
	client, err := b2core.New(config)
	if err != nil {
		return web.Platform{}, err
	}
	return web.Platform{
		ID: "b2core", Name: "B2Core platforms", Facts: b2coreFacts(),
		About:  "B2Core lets who is signed in to it into B2Trader: its token is exchanged for B2Trader's.",
		SignIn: client.SignIn, Refresher: client, Call: web.PlatformCall{URL: call},
	}, nil
}

func traderEvolutionPlatform(config traderevolution.Config, a account, call string) (web.Platform, error) {
	client, err := traderevolution.New(config)
	if err := errors.Join(err, a.check()); err != nil {
		return web.Platform{}, err
	}
	return a.at(web.Platform{
		ID: "traderevolution", Name: "TraderEvolution Back Office", Facts: traderEvolutionFacts(),
		About: "The REST API of the back office of another trading platform.",
		Call:  web.PlatformCall{URL: call},
	}, client)
}

func tradevestPlatform(config tradevest.Config, call string) (web.Platform, error) {
	client, err := tradevest.New(config)
	if err != nil {
		return web.Platform{}, err
	}
	keeper, err := tokenapi.NewKeeper(tokenapi.KeeperConfig{
		Name: "tradevest", Secret: config.ClientSecret,
		SignIn:   func(ctx context.Context, _ tokenapi.Secret) (*oauth2.Token, error) { return client.SignIn(ctx) },
		Interval: time.Second, // a renewal is a sign-in here, and people press buttons faster than programs need tokens
	})
	if err != nil {
		return web.Platform{}, err
	}
	return web.Platform{
		ID: "tradevest", Name: "Tradevest", Account: config.ClientID, Facts: tradevestFacts(),
		About:  "The partner API of an investment platform: machines only.",
		SignIn: client.SignIn, Refresher: keeper, Call: web.PlatformCall{URL: call, Transport: client.Transport(web.NewAPITransport())},
	}, nil
}

func b2binpayPlatform(config b2binpay.Config, a account, call string) (web.Platform, error) {
	client, err := b2binpay.New(config)
	if err := errors.Join(err, a.check()); err != nil {
		return web.Platform{}, err
	}
	return a.at(web.Platform{
		ID: "b2binpay", Name: "B2BINPAY", Facts: b2binpayFacts(),
		About: "Crypto payments: deposits, payouts, and callbacks that tell of them.",
		Call:  web.PlatformCall{URL: call},
	}, client)
}
