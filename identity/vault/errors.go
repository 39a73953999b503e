package vault

import (
	"errors"
	"fmt"
	"time"

	"b2trader.identity.auth/identity/tokenapi"
)

// What callers branch on. Both have the outcome tokenapi.Refused, so an entry that
// is renewed with the token of this one ends too.
var (
	ErrNotFound = refusedFor("vault: there is no entry under this key")
	ErrEnded    = refusedFor("vault: the entry has ended, for its token was refused or has no successor")
)

func refusedFor(why string) error {
	return tokenapi.WithOutcome(errors.New(why), tokenapi.Outcome{Kind: tokenapi.Refused})
}

// An UnavailableError says that no live token can be had just now. The entry lives on.
//
// A [Refresher] that needs the token of this entry to renew another may return it:
// its outcome keeps that other entry, too.
type UnavailableError struct {
	RetryAfter time.Duration // when it may be worth trying again; at least a second
	Err        error         // why
}

// Error says why.
func (e *UnavailableError) Error() string {
	return fmt.Sprintf("vault: no live token, try again in %v: %v", e.RetryAfter, e.Err)
}

// Unwrap returns the reason.
func (e *UnavailableError) Unwrap() error { return e.Err }

// Outcome returns tokenapi.Transient with RetryAfter, whatever Err is: Err is
// about the token server of this entry.
func (e *UnavailableError) Outcome() tokenapi.Outcome {
	return tokenapi.Outcome{RetryAfter: e.RetryAfter}
}

var (
	errClosed  = errors.New("the vault is closed")
	errWaiting = errors.New("the renewal takes longer than Config.MaxWait")
)

func unavailable(err error) error { return &UnavailableError{RetryAfter: time.Second, Err: err} }
