package vault

import (
	"context"
	"errors"
	"fmt"
	"time"

	"b2trader.identity.auth/identity/store/records"
	"b2trader.identity.auth/identity/tokenapi"
)

// What callers branch on. Both have the outcome tokenapi.Refused: an entry
// whose renewal needs the token of this one ends with it.
var (
	// ErrNotFound says that the key is unknown, or that its entry was deleted or
	// has expired.
	ErrNotFound = refusedFor("vault: no entry under this key: it was never put, was deleted, or has expired")

	// ErrEnded says that the server refused the entry's refresh token, and new
	// tokens from its State, if it has one. The vault asks the server no more.
	// If the Refresher needs the token of another entry, that entry may have
	// ended.
	ErrEnded = refusedFor("vault: the entry has ended: its token can no longer be renewed, sign in again")
)

func refusedFor(why string) error {
	return tokenapi.WithOutcome(errors.New(why), tokenapi.Outcome{Kind: tokenapi.Refused})
}

// An UnavailableError says that there is no live token just now. The entry is
// kept.
//
// A [Refresher] that needs the token of this entry to renew another may return
// the error: its outcome keeps that other entry, too.
type UnavailableError struct {
	RetryAfter time.Duration // when to try again; at least a second
	Err        error         // the reason
}

// Error gives the reason and when to try again, unless the reason says that.
func (e *UnavailableError) Error() string {
	_, paused := errors.AsType[*tokenapi.PausedError](e.Err)
	if _, nested := errors.AsType[*UnavailableError](e.Err); paused || nested {
		return fmt.Sprintf("vault: no live token: %v", e.Err)
	}
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
	errExpired = errors.New("the token had expired when it arrived: the server issues it without a lifetime, or answers too slowly")
)

func unavailable(err error) error { return &UnavailableError{RetryAfter: time.Second, Err: err} }

// storeError turns an error of the store into the vault's. ctx is the caller's.
func storeError(ctx context.Context, err error) error {
	switch {
	case records.Absent(err):
		return ErrNotFound
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, records.ErrClosed):
		return unavailable(errClosed)
	}
	return unavailable(err)
}
