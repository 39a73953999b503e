package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// The errors that callers branch on.
var (
	ErrNotFound    = errors.New("store: no such record")
	ErrDeleted     = errors.New("store: record was deleted")
	ErrConflict    = errors.New("store: record has another version")
	ErrInvalid     = errors.New("store: invalid record")
	ErrUnavailable = errors.New("store: unavailable")
	ErrClosed      = errors.New("store: closed") // always wrapped together with ErrUnavailable
)

// Invalid is for implementations of Store. It returns an error that wraps
// ErrInvalid and names the problem.
func Invalid(problem string) error { return invalid([]string{problem}) }

func invalid(problems []string) error {
	if len(problems) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrInvalid, strings.Join(problems, ", "))
}

// A Fault is a failure of the database or of the way to it. It wraps
// ErrUnavailable and the error of the driver.
type Fault struct {
	Op  string // the store and the operation, such as "redis: put"
	Err error
}

// NewFault is for implementations of Store. It returns a *Fault with the error
// of a driver, or nil if err is nil. If ctx, the context of the caller, has
// ended, the result wraps ctx.Err() instead and not ErrUnavailable.
func NewFault(ctx context.Context, op string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("store: %s: %w", op, ctx.Err())
	}
	return &Fault{Op: op, Err: err}
}

// Error returns the operation and the cause.
func (f *Fault) Error() string { return "store: " + f.Op + ": " + f.Err.Error() }

// Unwrap returns ErrUnavailable and the cause.
func (f *Fault) Unwrap() []error { return []error{ErrUnavailable, f.Err} }
