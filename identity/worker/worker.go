package worker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/vault"
)

// A Client is a client of a token API that keeps an account of type A signed in.
// The package documentation lists those of this module.
type Client[A any] interface {
	Keeper(account A) (*tokenapi.Keeper, error)
}

// A Worker keeps one account signed in. It is safe for concurrent use.
type Worker struct {
	name   string
	keeper *tokenapi.Keeper
	vault  *vault.Vault
	own    *memstore.Store // closed with the Worker; nil if Config.Store is set
	api    vault.Transport
}

// New returns a Worker for an account of client. It makes no request: the first
// request of its http.Client signs in. [Worker.Close] releases it.
//
// Errors: every problem of the Config and the account, joined, each a
// *tokenapi.FieldError.
func New[A any](client Client[A], account A, config Config) (*Worker, error) {
	keeper, err := client.Keeper(account)
	if err := errors.Join(err, config.check()); err != nil {
		return nil, err
	}
	w := &Worker{name: cmp.Or(config.Name, "worker"), keeper: keeper}
	if config.Store == nil {
		w.own = memstore.New()
		config.Store, config.Keys = w.own, []vault.Key{vault.NewKey(w.name)}
	}
	w.vault, err = vault.New(vault.Config{
		Store: config.Store, Keys: config.Keys, Refreshers: map[string]vault.Refresher{w.name: keeper},
		OnRenewal: config.OnRenewal, Logger: config.Logger,
	})
	if err != nil {
		return nil, errors.Join(err, w.closeStore())
	}
	w.api = vault.Transport{Vault: w.vault, Key: w.name, Base: config.Transport}
	return w, nil
}

// Client returns an http.Client whose requests carry the live token, as those of
// [vault.Vault.Client]. It has no Timeout: the contexts of the requests bound
// them.
func (w *Worker) Client() *http.Client { return &http.Client{Transport: transport{w}} }

// Token returns a live token. It signs in first if there is none, so a program
// that calls it at the start learns early of a wrong password.
//
// Errors: *vault.UnavailableError with its cause, such as ErrBadCredentials of
// package tokenapi, or the context's; vault.ErrNotFound if the entry was deleted,
// whose name then stays empty.
func (w *Worker) Token(ctx context.Context) (*oauth2.Token, error) {
	if err := w.ensure(ctx); err != nil {
		return nil, err
	}
	return w.vault.Token(ctx, w.name)
}

// Source returns the account as a source of bearer tokens, for a client that
// needs one token to get another: b2core.Config.Bearer of a Worker that keeps a
// b2core.SessionClient signed in. A caller passes the token that the API refused
// to get another one, or nil.
func (w *Worker) Source() tokenapi.Source {
	renew := w.vault.Source(w.name)
	return func(ctx context.Context, refused *oauth2.Token) (*oauth2.Token, error) {
		if err := w.ensure(ctx); err != nil {
			return nil, err
		}
		return renew(ctx, refused)
	}
}

// TokenSource returns the account as an oauth2.TokenSource. The context is that
// of every call of its Token, and a 401 of an API is not seen, as for
// [vault.Vault.TokenSource].
func (w *Worker) TokenSource(ctx context.Context) oauth2.TokenSource {
	return tokenSource{ctx, w}
}

// Close waits for a renewal under way, so that its refresh token is not lost,
// and releases the Worker. If ctx ends first, Close returns its error.
func (w *Worker) Close(ctx context.Context) error {
	return errors.Join(w.vault.Close(ctx), w.closeStore())
}

// Format prints the Worker's name only, for every verb.
func (w *Worker) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "worker.Worker(%s)", w.name) }

func (w *Worker) closeStore() error {
	if w.own == nil {
		return nil
	}
	return w.own.Close()
}

// ensure puts the entry if there is none: at the first use, and after the store
// has lost it. Other errors are those of the calls that follow.
func (w *Worker) ensure(ctx context.Context) error {
	if _, err := w.vault.Status(ctx, w.name); !errors.Is(err, vault.ErrNotFound) && !errors.Is(err, vault.ErrEnded) {
		return nil
	}
	return w.vault.PutIfAbsent(ctx, w.name, vault.Entry{
		Owner: w.name, Client: w.name, Token: w.keeper.FirstToken(),
	})
}

// transport is the http.RoundTripper of the Worker's http.Client.
type transport struct{ *Worker }

// RoundTrip sends a copy of req with the live token.
func (t transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := t.ensure(req.Context()); err != nil {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, err
	}
	return t.api.RoundTrip(req)
}

type tokenSource struct {
	ctx context.Context //nolint:containedctx // oauth2.TokenSource has no parameter for it
	*Worker
}

// Token implements oauth2.TokenSource.
func (s tokenSource) Token() (*oauth2.Token, error) { return s.Worker.Token(s.ctx) }
