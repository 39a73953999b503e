package store

import (
	"context"
	"errors"
	"time"
)

// A Clock is a Store that tells the time of the clock that decides whether its
// records have expired. Processes that share the store reckon by it, so that
// they agree even if their own clocks differ. Stores need not implement it:
// each process then reckons by its own clock.
type Clock interface {
	// Time returns the present time. The error is errors.ErrUnsupported if
	// the store has no such clock, as if it is a wrapper of one that has none.
	// Any other error is a fault.
	Time(ctx context.Context) (time.Time, error)
}

// Time returns the time of the clock of s. A wrapper of a Store implements
// Clock by it.
//
// Errors: errors.ErrUnsupported if s is no Clock, or a fault.
func Time(ctx context.Context, s Store) (time.Time, error) {
	if c, ok := s.(Clock); ok {
		return c.Time(ctx)
	}
	return time.Time{}, errors.ErrUnsupported
}
