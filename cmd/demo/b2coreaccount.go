package main

import (
	"context"
	"errors"
	"log/slog"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/cmd/demo/showcase"
	"b2trader.identity.auth/identity/b2core"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/vault"
	"b2trader.identity.auth/identity/worker"
)

// b2coreAccountPlatform is b2corePlatform for an account that signs in to B2Core
// with an e-mail address and a password. The B2Core session is in the memory of
// this process; the tokens of B2Trader are in the store, as with a bearer.
func b2coreAccountPlatform(config b2core.Config, a tokenapi.Account, call string) (showcase.Platform, error) {
	config.Bearer = b2core.StaticBearer("stand-in") // until the account is known to be good
	_, err := b2core.New(config)
	if err := errors.Join(err, a.Validate()); err != nil {
		return showcase.Platform{}, err
	}
	core, err := b2core.NewSessionClient(b2core.SessionConfig{URL: config.URL, HTTP: config.HTTP})
	if err != nil {
		return showcase.Platform{}, err
	}
	session, err := worker.New(core, a, worker.Config{
		Name:   "b2core session",
		Logger: slog.New(slog.DiscardHandler), // the page and its log tell the error of each sign-in
	})
	if err != nil {
		return showcase.Platform{}, err
	}
	config.Bearer = session.Source()
	p, err := b2corePlatform(config, call)
	p.Account, p.Close = a.Login, session.Close
	p.Refresher = b2coreAccount{p.Refresher, config.Bearer}
	return p, err
}

// b2coreAccount is the Refresher of a platform whose bearer an account gets.
type b2coreAccount struct {
	platform vault.Refresher
	bearer   tokenapi.Source
}

// Refresh gets the bearer first, so that its error says what is wrong with the
// account. The platform's own would say only that there is no bearer.
func (a b2coreAccount) Refresh(ctx context.Context, old *oauth2.Token) (*oauth2.Token, error) {
	_, err := a.bearer(ctx, nil)
	if later, ok := errors.AsType[*vault.UnavailableError](err); ok {
		return nil, tokenapi.WithOutcome(later.Err, later.Outcome()) // the B2Core session is kept, and so is the sign-in
	}
	if err != nil {
		return nil, err
	}
	return a.platform.Refresh(ctx, old)
}
