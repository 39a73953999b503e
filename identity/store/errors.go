package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// What callers branch on.
var (
	ErrNotFound    = errors.New("store: no such record")
	ErrDeleted     = errors.New("store: record was deleted")
	ErrConflict    = errors.New("store: record has another version")
	ErrInvalid     = errors.New("store: invalid record")
	ErrUnavailable = errors.New("store: unavailable")
	ErrClosed      = errors.New("store: closed") // comes wrapped together with ErrUnavailable
)

// Invalid returns an error that wraps ErrInvalid and says why.
func Invalid(problem string) error { return invalid([]string{problem}) }

func invalid(problems []string) error {
	if len(problems) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrInvalid, strings.Join(problems, ", "))
}

// A Fault says that the database did not do what it should. errors.Is finds ErrUnavailable in it and whatever the
// driver said.
type Fault struct {
	Op  string // what was tried, such as "redis: put"
	Err error
}

// NewFault is for implementations of Store: it wraps the error of a driver. If ctx, the one that the caller of the
// store passed, has ended, then that is the reason: the result wraps ctx.Err() and not ErrUnavailable.
func NewFault(ctx context.Context, op string, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("store: %s: %w", op, ctx.Err())
	}
	return &Fault{Op: op, Err: err}
}

func (f *Fault) Error() string { return "store: " + f.Op + ": " + f.Err.Error() }

// Unwrap returns ErrUnavailable and the cause.
func (f *Fault) Unwrap() []error { return []error{ErrUnavailable, f.Err} }
