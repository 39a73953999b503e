// Package vault keeps tokens alive: it answers from memory, renews early and in the background, and lets any number of
// callers share the one renewal of an expired token.
//
// # Use
//
// Put a token under a key, such as a session's, and ask for it with Token whenever one is needed. A renewal starts when
// two thirds of the token's life have passed; until it expires nobody waits for it. Once it has expired, every
// caller waits for the same renewal, each as long as its own context allows, and the renewal outlives them all.
//
// # What failed decides what happens
//
// A renewal that the server refused ends the entry, for a refresh token that works once will not be accepted later; from then on
// Token returns ErrEnded and makes no more calls. Any other failure keeps the entry: the old token serves while it lives,
// after that Token returns an UnavailableError, and renewals are tried again with growing pauses.
//
// # Limits
//
// Tokens are held in this process's memory only: they neither survive a restart nor are shared between processes.
package vault

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/oauth2"
)

// A Refresher exchanges a token for its successor. *identity.Client is one.
//
// Its errors may say more than that they are errors, by these methods; all are optional:
//
//	GrantRefused() bool        // the refresh token is no good and never will be: the entry ends
//	RetryDelay() time.Duration // how long the server asks to wait, 0 if it does not
type Refresher interface {
	Refresh(ctx context.Context, old *oauth2.Token) (*oauth2.Token, error)
}

// An Entry is what the vault keeps under a key.
type Entry struct {
	Owner  string        // whose it is, for DeleteOwner: issuer and subject
	Client string        // names the Refresher in Config.Refreshers
	Token  *oauth2.Token // never changed by the vault; its successor is another Token
	Until  time.Time     // when the entry is dropped whatever happens; zero: never
}

// Config says how a [Vault] works. Only Refreshers is required.
type Config struct {
	// Refreshers renew the entries, by Entry.Client.
	Refreshers map[string]Refresher

	// Timeout bounds one renewal. Zero: one minute.
	Timeout time.Duration

	// Revoke is called, if set, with a token that nobody will use: the entry was deleted while it was being renewed.
	Revoke func(context.Context, Entry)

	// OnRenewal is called, if set, after each renewal.
	OnRenewal func(Renewal)

	// Now is the clock. Nil: time.Now.
	Now func() time.Time
}

// A Renewal is what became of one renewal.
type Renewal struct {
	Owner, Client string
	Result        Result
	Duration      time.Duration
	Err           error // nil if Renewed
}

// Result classifies a Renewal.
type Result string

// The results of a renewal.
const (
	Renewed   Result = "renewed"
	Refused   Result = "refused"   // the entry has ended
	Failed    Result = "failed"    // the entry lives on, and is tried again
	Discarded Result = "discarded" // the entry was deleted meanwhile; the new token went to Config.Revoke
)

// What callers branch on.
var (
	ErrNotFound = errors.New("vault: there is no entry under this key")
	ErrEnded    = errors.New("vault: the entry has ended, for its token was refused or has no successor")
	errClosed   = errors.New("the vault is closed")
)

// An UnavailableError says that no live token can be had just now. The entry lives on.
type UnavailableError struct {
	RetryAfter time.Duration // when it may be worth trying again; at least a second
	Err        error         // of the last renewal
}

// Error says why.
func (e *UnavailableError) Error() string {
	return fmt.Sprintf("vault: no live token, try again in %v: %v", e.RetryAfter, e.Err)
}

// Unwrap returns the error of the last renewal.
func (e *UnavailableError) Unwrap() error { return e.Err }

// Status describes an entry without its token.
type Status struct {
	Owner, Client, Scope string
	Issued, Expiry       time.Time // of the current token
	Renewals             int       // since it was put
}

// A Vault keeps entries. It is safe for concurrent use.
type Vault struct {
	config  Config
	index   *index
	running sync.WaitGroup // renewals
	closing sync.Mutex     // serialises Add with Close
	closed  bool
	ctx     context.Context // of the renewals; ends when Close gives up
	stop    context.CancelFunc
}

// New returns a Vault. Its error joins every problem of the Config.
func New(config Config) (*Vault, error) {
	var problems []error
	if len(config.Refreshers) == 0 {
		problems = append(problems, errors.New("vault: Config.Refreshers is empty"))
	}
	for name, r := range config.Refreshers {
		if r == nil {
			problems = append(problems, fmt.Errorf("vault: Config.Refreshers[%q] is nil", name))
		}
	}
	if config.Timeout < 0 {
		problems = append(problems, errors.New("vault: Config.Timeout is negative"))
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	if config.Timeout == 0 {
		config.Timeout = time.Minute
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	v := &Vault{config: config, index: newIndex()}
	v.ctx, v.stop = context.WithCancel(context.Background())
	return v, nil
}

// Put keeps an entry under key, in place of any other. The error says what the entry lacks.
func (v *Vault) Put(_ context.Context, key string, e Entry) error {
	if key == "" || e.Token == nil || v.config.Refreshers[e.Client] == nil {
		return fmt.Errorf("vault: an entry needs a key, a token, and a client that the vault knows (this one has %q)", e.Client)
	}
	now := v.config.Now()
	s := newSlot(e, now)
	if !e.Until.IsZero() {
		s.expiry = time.AfterFunc(e.Until.Sub(now), func() { v.index.remove(key, s); s.end() })
	}
	if old := v.index.put(key, s); old != nil {
		old.end()
	}
	return nil
}

// Token returns a live token, renewing it if need be.
//
// Errors: ErrNotFound, ErrEnded, *UnavailableError, or the context's.
func (v *Vault) Token(ctx context.Context, key string) (*oauth2.Token, error) {
	s := v.index.get(key)
	if s == nil {
		return nil, ErrNotFound
	}
	now := v.config.Now()
	held := s.held.Load()
	if now.Before(held.renewAt) {
		return held.token, nil
	}
	return v.renewed(ctx, s, now)
}

// Status describes the entry under key. It starts no renewal.
//
// Errors: ErrNotFound, ErrEnded.
func (v *Vault) Status(_ context.Context, key string) (Status, error) {
	s := v.index.get(key)
	if s == nil {
		return Status{}, ErrNotFound
	}
	held := s.held.Load()
	if s.isDead() {
		return Status{}, ErrEnded
	}
	scope, _ := held.token.Extra("scope").(string)
	return Status{s.owner, s.client, scope, held.issued, held.token.Expiry, held.generation}, nil
}

// Delete ends the entry under key and returns it, for its token to be revoked. A renewal under way
// cannot bring it back: what that still yields goes to Config.Revoke.
//
// Errors: ErrNotFound.
func (v *Vault) Delete(_ context.Context, key string) (Entry, error) {
	s := v.index.get(key)
	if s == nil || !v.index.remove(key, s) {
		return Entry{}, ErrNotFound
	}
	return s.end(), nil
}

// DeleteOwner ends every entry of an owner and says how many there were. Its cost is theirs.
func (v *Vault) DeleteOwner(ctx context.Context, owner string) (int, error) {
	ended := 0
	for _, key := range v.index.keysOf(owner) {
		if _, err := v.Delete(ctx, key); err == nil {
			ended++
		}
	}
	return ended, nil
}

// Close starts no more renewals and waits for those under way, so that no refresh token is spent in vain.
// If ctx ends first, they are cancelled and its error is returned.
func (v *Vault) Close(ctx context.Context) error {
	v.closing.Lock()
	v.closed = true
	v.closing.Unlock()
	done := make(chan struct{})
	go func() { v.running.Wait(); close(done) }()
	defer v.stop()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
