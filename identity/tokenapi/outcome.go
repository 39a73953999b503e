package tokenapi

import (
	"errors"
	"time"
)

// An Outcome says what a failed renewal means for the token that was to be
// renewed. Package vault decides by it whether the token's entry is kept.
//
// Errors carry an Outcome by a method:
//
//	Outcome() tokenapi.Outcome
//
// The errors of this module's clients have it. A Refresher outside this module
// attaches one to any error by [WithOutcome].
type Outcome struct {
	// Kind is the class of the failure.
	Kind OutcomeKind

	// RetryAfter is the delay that the server asks for. Zero: it asks for none.
	RetryAfter time.Duration
}

// An OutcomeKind is a class of failures of a renewal. Its zero value is
// [Transient], so an error without an Outcome never ends a session.
type OutcomeKind int

const (
	// Transient means that a later attempt may succeed. The token is kept.
	Transient OutcomeKind = iota
	// Refused means that the server will never accept this refresh token, or
	// the session behind it, again. Only a new sign-in helps.
	Refused
	// NotSent means that the request did not reach the server. It is safe to
	// repeat it at once.
	NotSent
	// Unanswered means that the request may have reached the server and that
	// no answer came. The server may have used the refresh token up.
	Unanswered
	// Misconfigured means that the server does not accept the client. The token
	// is kept, and an operator must correct the configuration.
	Misconfigured
)

// String returns the name of the kind in lower case, such as "not sent".
func (k OutcomeKind) String() string {
	names := [...]string{"transient", "refused", "not sent", "unanswered", "misconfigured"}
	if k < 0 || int(k) >= len(names) {
		return "unknown"
	}
	return names[k]
}

// OutcomeOf returns the Outcome of the first error in err's tree that has one,
// in the order of errors.As. It returns the zero Outcome, [Transient], if no
// error has one.
func OutcomeOf(err error) Outcome {
	var o interface{ Outcome() Outcome }
	if errors.As(err, &o) {
		return o.Outcome()
	}
	return Outcome{}
}

// WithOutcome returns an error that reads as err, wraps err and has the given
// Outcome, which replaces the one of err.
func WithOutcome(err error, o Outcome) error { return &outcomeError{err, o} }

type outcomeError struct {
	err     error
	outcome Outcome
}

func (e *outcomeError) Error() string    { return e.err.Error() }
func (e *outcomeError) Unwrap() error    { return e.err }
func (e *outcomeError) Outcome() Outcome { return e.outcome }
