package tokenapi

import (
	"fmt"
	"time"
)

// A PausedError says that a [Keeper] does not sign in just now: it did a moment ago, or its password was refused. It wraps
// ErrUnavailable, and how the last sign-in failed. What that says of its request is not said of this one, which was never made.
type PausedError struct {
	System     string        // the Keeper's
	RetryAfter time.Duration // when to ask again; it may be sooner than the sign-in
	Err        error         // how the last sign-in failed; nil: it did not
}

// Error says why.
func (e *PausedError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("%s: signed in a moment ago: try again in %v", e.System, e.RetryAfter.Round(time.Millisecond))
	}
	return fmt.Sprintf("%s: waiting before the next sign-in: try again in %v: %v", e.System, e.RetryAfter.Round(time.Millisecond), e.Err)
}

// Unwrap returns ErrUnavailable, and how the last sign-in failed.
func (e *PausedError) Unwrap() []error {
	if e.Err == nil {
		return []error{ErrUnavailable}
	}
	return []error{ErrUnavailable, e.Err}
}

// Outcome returns [Transient] with RetryAfter, however the last sign-in failed:
// the Keeper made no request.
func (e *PausedError) Outcome() Outcome { return Outcome{RetryAfter: e.RetryAfter} }
