package vault

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"b2trader.identity.auth/identity/internal/checkconfig"
	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/records"
)

// Config says how a [Vault] works. Refreshers are required, and either Records
// or Store and Keys.
type Config struct {
	// Store keeps the entries. Vaults that share a store, in any number of
	// processes, share the entries.
	Store store.Store

	// Keys seal the entries. The first seals, all open. [ParseKeys] reads them
	// from a file and says how to replace one.
	Keys []Key

	// Records, if set, is used in place of Store and Keys: the vault then
	// shares its watch of the store with the rest of the process, and Close
	// does not close it. Its clock must be Now.
	Records *records.Cache

	// Refreshers renew the entries, by Entry.Client.
	Refreshers map[string]Refresher

	// Timeout bounds one token request. Zero: 90 seconds. A request that is
	// given up costs more than a slow one: its refresh token is used up.
	Timeout time.Duration

	// MaxWait bounds how long Token waits for a renewal before it returns an
	// UnavailableError. The renewal goes on, and keeps its place if it waits for
	// its turn. Zero: 20 seconds.
	MaxWait time.Duration

	// Lease is how long the holder of a lease may be silent before another
	// process takes the lease over. The holder extends it three times as often,
	// however long the token request takes. Zero: 4 seconds.
	Lease time.Duration

	// Revoke, if set, receives a token that no caller will get, because the
	// entry was deleted during its renewal, or because another process was
	// quicker. In the second case the Entry has no State: the other process's
	// token depends on that.
	Revoke func(context.Context, Entry)

	// RenewalContext, if set, returns the context of a renewal, which its
	// Refresher gets: made of renewal, with values such as a trace, and of the
	// context of the caller that starts the renewal, which may end before it.
	RenewalContext func(renewal, caller context.Context) context.Context

	// OnRenewal, if set, is called after each renewal of this vault, and after
	// the callers that waited for it have their tokens.
	OnRenewal func(Renewal)

	// OnWait, if set, is called after each call of Token or Renew that waited
	// for a renewal.
	OnWait func(Wait)

	// Logger receives what an operator must know: a successor that cannot be
	// stored, a refused client, an interrupted watch. Nil: slog.Default().
	Logger *slog.Logger

	// Now is the clock. Nil: time.Now. Processes that share a store whose
	// server has a clock (store.Clock) reckon by that, so their own clocks may
	// differ.
	Now func() time.Time
}

func (c Config) withDefaults() Config {
	c.Timeout = cmp.Or(c.Timeout, 90*time.Second)
	c.MaxWait = cmp.Or(c.MaxWait, 20*time.Second)
	c.Lease = cmp.Or(c.Lease, 4*time.Second)
	c.Logger = cmp.Or(c.Logger, slog.Default())
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// open checks the Config and opens its records.
//
// Errors: every problem, joined, each a *tokenapi.FieldError.
func (c Config) open() (*records.Cache, error) {
	p := checkconfig.Problems{Package: "vault"}
	p.Missing("Refreshers", len(c.Refreshers) == 0)
	for _, name := range slices.Sorted(maps.Keys(c.Refreshers)) {
		p.Missing(fmt.Sprintf("Refreshers[%q]", name), c.Refreshers[name] == nil)
	}
	p.Negative("Timeout", c.Timeout < 0)
	p.Negative("MaxWait", c.MaxWait < 0)
	p.Negative("Lease", c.Lease < 0)
	cache, err := c.Records, error(nil)
	if cache == nil {
		cache, err = records.Open(records.Config{Store: c.Store, Keys: c.Keys, Logger: c.Logger, Now: c.Now})
	}
	if err := errors.Join(p.Err(), err); err != nil {
		if cache != nil && cache != c.Records {
			cache.Close()
		}
		return nil, err
	}
	return cache, nil
}
