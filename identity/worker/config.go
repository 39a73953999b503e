package worker

import (
	"log/slog"
	"net/http"

	"b2trader.identity.auth/identity/internal/checkconfig"
	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/vault"
)

// Config says how a [Worker] works. Its zero value suits one process.
type Config struct {
	// Name is the key of the account's entry in the Store. Workers with the same
	// Name and Store share the account's token, so give each account a Name of
	// its own. It is required with a Store. Empty: "worker".
	Name string

	// Store keeps the token. The Worker does not close it. Nil: memory.
	Store store.Store

	// Keys seal the token in the Store, as in [vault.Config]. Processes that
	// share the Store need the same ones: [vault.ParseKeys] reads them from a
	// file. They are required with a Store. Nil: a random key.
	Keys []vault.Key

	// Transport sends the requests of the http.Client, each with the token. Nil:
	// tokenapi.APITransport. The token's own server has the transport of the
	// client's Config.
	Transport http.RoundTripper

	// OnRenewal, if set, is called after each renewal, as in [vault.Config].
	OnRenewal func(vault.Renewal)

	// Logger receives what an operator must know, as in [vault.Config]. Nil:
	// slog.Default().
	Logger *slog.Logger
}

// check reports every problem of the Config that package vault does not report.
func (c Config) check() error {
	p := checkconfig.Problems{Package: "worker"}
	p.Missing("Name", c.Store != nil && c.Name == "")
	p.Missing("Store", c.Store == nil && c.Keys != nil)
	return p.Err()
}
