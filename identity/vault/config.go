package vault

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/store"
)

// A Refresher exchanges a token for its successor. *identity.Client is one.
//
// Its errors say by their [b2trader.identity.auth/identity/tokenapi.Outcome]
// what they mean for the entry. An error without one keeps the entry;
// tokenapi.WithOutcome attaches one to any error.
//
// The vault's own errors have one, so that a Refresher may need the token of another entry (see [Vault.Source]). Which entry
// it is called for is in its context (see [EntryKey]).
//
// It may also bound how often an access token of its entries is used, by another optional method:
//
//	MaxUses() int // 0 or less: as often as it lives
type Refresher interface {
	Refresh(ctx context.Context, old *oauth2.Token) (*oauth2.Token, error)
}

// A Resumer gets tokens without a refresh token, from the state that an Entry came with. A Refresher that is a
// Resumer too saves entries whose refresh token was lost. *identity.Client is one.
type Resumer interface {
	ResumeBinary(ctx context.Context, state []byte) (token *oauth2.Token, next []byte, err error)
}

// An Entry is what the vault keeps under a key. Of the token's extras three are kept, if they are there: the strings
// id_token and scope, and the time.Time refresh_expiry, when the refresh token expires by our clock.
type Entry struct {
	Owner  string        // whose it is, for DeleteOwner: issuer and subject
	Client string        // names the Refresher in Config.Refreshers
	Token  *oauth2.Token // never changed by the vault; its successor is another Token
	State  []byte        // for the Resumer; nil: there is none
	Until  time.Time     // when the entry is dropped whatever happens; zero: in 30 days
}

// defaultLife is IdentityServer's absolute lifetime of a refresh token.
const defaultLife = 30 * 24 * time.Hour

// Config says how a [Vault] works. Store, Keys and Refreshers are required.
type Config struct {
	// Store keeps the entries. Vaults that share a store, in any number of processes, share the entries.
	Store store.Store

	// Keys seal the entries. The first seals, all open: put a new key first, and remove the old one when no entry that
	// it sealed is left, or after the life of the longest entry.
	Keys []Key

	// Refreshers renew the entries, by Entry.Client.
	Refreshers map[string]Refresher

	// Timeout bounds one token request. Zero: 90 seconds. Giving up early costs more than waiting: the refresh token is spent.
	Timeout time.Duration

	// MaxWait bounds how long Token waits for a renewal before it says UnavailableError; the renewal goes on.
	// Zero: 20 seconds.
	MaxWait time.Duration

	// Lease is how long the holder of a lease may be silent before another process takes over. It is renewed three times
	// as often, however long the token request takes. Zero: 10 seconds.
	Lease time.Duration

	// Revoke is called, if set, with a token that nobody will use: the entry was deleted while it was being renewed, or
	// another process was quicker. The Entry has its State only in the first case: in the second somebody lives by it.
	Revoke func(context.Context, Entry)

	// OnRenewal is called, if set, after each renewal that this vault carried out or waited for. Its callers have been told by
	// then, so that an observer delays nobody.
	OnRenewal func(Renewal)

	// OnWait is called, if set, after each call of Token or Renew that waited for a renewal.
	OnWait func(Wait)

	// Logger gets what an operator must know: a successor that cannot be stored, a refused client, a lost watch.
	// Nil: slog.Default().
	Logger *slog.Logger

	// Now is the clock. Nil: time.Now. Clocks of processes that share a store should agree within a few seconds.
	Now func() time.Time
}

func (c Config) withDefaults() Config {
	if c.Timeout == 0 {
		c.Timeout = 90 * time.Second
	}
	if c.MaxWait == 0 {
		c.MaxWait = 20 * time.Second
	}
	if c.Lease == 0 {
		c.Lease = 10 * time.Second
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

func (c Config) validate() error {
	var problems []error
	if c.Store == nil {
		problems = append(problems, errors.New("vault: Config.Store is missing"))
	}
	if len(c.Refreshers) == 0 {
		problems = append(problems, errors.New("vault: Config.Refreshers is empty"))
	}
	for name, r := range c.Refreshers {
		if r == nil {
			problems = append(problems, fmt.Errorf("vault: Config.Refreshers[%q] is nil", name))
		}
	}
	for name, d := range map[string]time.Duration{"Timeout": c.Timeout, "MaxWait": c.MaxWait, "Lease": c.Lease} {
		if d < 0 {
			problems = append(problems, fmt.Errorf("vault: Config.%s is negative", name))
		}
	}
	return errors.Join(problems...)
}

// A Renewal is what became of one renewal.
type Renewal struct {
	Owner, Client string
	Result        Result
	Duration      time.Duration
	Err           error         // nil if Renewed, Resumed or Joined
	LeaseWait     time.Duration // the part of Duration that another process held the lease
}

// A Wait is what became of one caller that needed a token that was being renewed.
type Wait struct {
	Client   string
	Duration time.Duration
	Err      error // what the caller got in place of a token
}

// Result classifies a Renewal.
type Result string

// The results of a renewal.
const (
	Renewed   Result = "renewed"
	Resumed   Result = "resumed"   // the refresh token was lost or refused; the state saved the entry
	Joined    Result = "joined"    // another process renewed it
	Refused   Result = "refused"   // the entry has ended
	Failed    Result = "failed"    // the entry lives on, and is tried again
	Discarded Result = "discarded" // the entry was deleted meanwhile; a new token went to Config.Revoke
)
