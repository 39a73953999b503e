package vault

import (
	"errors"
	"fmt"
	"time"
)

// What callers branch on.
var (
	ErrNotFound = errors.New("vault: there is no entry under this key")
	ErrEnded    = errors.New("vault: the entry has ended, for its token was refused or has no successor")
)

// An UnavailableError says that no live token can be had just now. The entry lives on.
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

var (
	errClosed  = errors.New("the vault is closed")
	errWaiting = errors.New("the renewal takes longer than Config.MaxWait")
)

func unavailable(err error) error { return &UnavailableError{RetryAfter: time.Second, Err: err} }
