package tokenapi

import (
	"fmt"
	"time"
)

// A PausedError means that a [Keeper] waits before its next sign-in, because it
// signed in a moment ago, its password was refused, or the server asked for a
// delay. It wraps ErrUnavailable and the error of the last sign-in or refresh.
type PausedError struct {
	System     string        // the Keeper's
	RetryAfter time.Duration // when to call again
	Refused    time.Duration // how long the refused password is not tried again; 0: none was refused
	Err        error         // of the last sign-in; nil: it succeeded
}

// Error says why the Keeper waits and for how long.
func (e *PausedError) Error() string {
	after := e.RetryAfter.Round(time.Millisecond)
	switch {
	case e.Err == nil:
		return fmt.Sprintf("%s: signed in a moment ago; try again in %v", e.System, after)
	case e.Refused > 0:
		return fmt.Sprintf("%s: this password is not tried again for %v, another one in %v; the last sign-in failed: %v",
			e.System, e.Refused.Round(time.Second), after, e.Err)
	}
	return fmt.Sprintf("%s: the next sign-in waits; try again in %v; the last one failed: %v", e.System, after, e.Err)
}

// Unwrap returns ErrUnavailable and the error of the last sign-in.
func (e *PausedError) Unwrap() []error {
	if e.Err == nil {
		return []error{ErrUnavailable}
	}
	return []error{ErrUnavailable, e.Err}
}

// Outcome returns [Transient] with RetryAfter, whatever Err is: the Keeper made
// no request.
func (e *PausedError) Outcome() Outcome { return Outcome{RetryAfter: e.RetryAfter} }

// A refusedPassword is the error of a sign-in whose password was refused.
type refusedPassword struct {
	err        error
	pause      time.Duration // of this password
	retryAfter time.Duration // until another password is tried
}

func (e *refusedPassword) Error() string {
	return fmt.Sprintf("%v; this password is not tried again for %v", e.err, e.pause)
}

func (e *refusedPassword) Unwrap() error { return e.err }

// Outcome is Transient, because another password may be accepted.
func (e *refusedPassword) Outcome() Outcome { return Outcome{RetryAfter: e.retryAfter} }
