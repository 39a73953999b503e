package vault

import (
	"errors"
	"fmt"
	"time"
)

// What callers branch on. Both also say GrantRefused, as a Refresher's errors do: an entry that is renewed with the token of
// this one cannot live on either.
var (
	ErrNotFound error = ended("vault: there is no entry under this key")
	ErrEnded    error = ended("vault: the entry has ended, for its token was refused or has no successor")
)

// ended is an error after which no token will come.
type ended string

func (e ended) Error() string    { return string(e) }
func (ended) GrantRefused() bool { return true }

// An UnavailableError says that no live token can be had just now. The entry lives on.
//
// It is also what a [Refresher] may return that needs the token of this entry to renew another. Its methods then say that
// the other lives on too, and is tried again when this one may be. What Err says in the same words, it says of this
// entry's token server: the other's was not asked.
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

// GrantRefused returns false: a token may come yet, even if Err holds a refusal.
func (e *UnavailableError) GrantRefused() bool { return false }

// Misconfigured returns false: the vault has logged it, of the client that it is true of.
func (e *UnavailableError) Misconfigured() bool { return false }

// NotSent returns false, although whoever needs the token sent nothing: to repeat that before RetryDelay is of no use.
func (e *UnavailableError) NotSent() bool { return false }

// Unanswered returns false: what was not answered is not the request that needed the token.
func (e *UnavailableError) Unanswered() bool { return false }

// RetryDelay returns RetryAfter.
func (e *UnavailableError) RetryDelay() time.Duration { return e.RetryAfter }

var (
	errClosed  = errors.New("the vault is closed")
	errWaiting = errors.New("the renewal takes longer than Config.MaxWait")
)

func unavailable(err error) error { return &UnavailableError{RetryAfter: time.Second, Err: err} }
