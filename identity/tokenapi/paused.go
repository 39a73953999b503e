package tokenapi

import (
	"fmt"
	"time"
)

// A PausedError means that a [Keeper] waits before its next sign-in, because it
// signed in a moment ago or its password was refused. It wraps ErrUnavailable
// and the error of the last sign-in.
type PausedError struct {
	System     string        // the Keeper's
	RetryAfter time.Duration // when to call again; the sign-in may be later
	Err        error         // of the last sign-in; nil: it succeeded
}

// Error says why the Keeper waits and for how long.
func (e *PausedError) Error() string {
	after := e.RetryAfter.Round(time.Millisecond)
	if e.Err == nil {
		return fmt.Sprintf("%s: signed in a moment ago; try again in %v", e.System, after)
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
