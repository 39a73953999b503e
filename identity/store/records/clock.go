package records

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"b2trader.identity.auth/identity/store"
)

const (
	clockEvery = time.Minute            // between two measurements
	clockJump  = time.Second            // a larger jump of this process's clock is measured at once
	clockSlow  = 500 * time.Millisecond // a slower answer of the store tells its time badly
	clockTries = 3
	clockIsOff = 2 * time.Second  // beyond it the operator is warned
	clockGrain = time.Millisecond // of a clock that tells its time
)

// A clock measures how far the clock of a store is ahead of the clock of this
// process.
type clock struct {
	store  store.Store
	now    func() time.Time
	logger *slog.Logger
	last   atomic.Pointer[measurement] // nil: never
	turn   chan struct{}               // contains a token during a measurement
	warned atomic.Bool
}

type measurement struct {
	at    time.Time     // when it began, by the clocks of this process: a jump during it counts
	ahead time.Duration // the store's clock of this process's
}

// Now returns the time by the store's clock, in which all times in records are
// reckoned. It has no monotonic reading.
func (c *Cache) Now() time.Time { return c.clock.now().Round(0).Add(c.ClockOffset()) }

// ClockOffset returns how far the store's clock is ahead of this process's; 0
// if they agree, if the store has no clock of its own, or if it has not
// answered yet. It is measured before the first read or write, then once a
// minute, when the watch comes up, and when this process's clock jumps. A
// measurement that fails keeps the last result.
func (c *Cache) ClockOffset() time.Duration {
	if m := c.clock.last.Load(); m != nil {
		return m.ahead
	}
	return 0
}

// MeasureClock measures the ClockOffset now.
//
// Errors: the store's.
func (c *Cache) MeasureClock(ctx context.Context) error {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	return c.clock.measure(ctx, nil)
}

// checkClock measures the ClockOffset if it is not known, or if this process's
// clock has jumped since.
func (c *Cache) checkClock(ctx context.Context) error {
	m := c.clock.last.Load()
	if m != nil && !m.jumped(c.clock.now()) {
		return nil
	}
	return c.clock.measure(ctx, m)
}

// followClock measures the ClockOffset once in a while until Close.
func (c *Cache) followClock() {
	for {
		select {
		case <-time.After(clockEvery):
			_ = c.MeasureClock(c.ctx) // reads and writes report the same fault
		case <-c.ctx.Done():
			return
		}
	}
}

// jumped reports whether the wall clock and the monotonic clock of this process
// disagree about the time since the measurement: one was set, or the machine
// slept.
func (m *measurement) jumped(now time.Time) bool {
	return (now.Round(0).Sub(m.at.Round(0)) - now.Sub(m.at)).Abs() > clockJump
}

// measure measures unless another caller has replaced the measurement old
// meanwhile. A slow answer is asked for again, and the fastest counts.
func (c *clock) measure(ctx context.Context, old *measurement) error {
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return store.NewFault(ctx, "clock", ctx.Err())
	}
	if m := c.last.Load(); old != nil && m != old {
		return nil
	}
	var best measurement
	fastest := time.Duration(-1)
	for try := 0; try < clockTries && (fastest < 0 || fastest > clockSlow); try++ {
		sent := c.now()
		told, err := store.Time(ctx, c.store)
		received := c.now()
		switch {
		case errors.Is(err, errors.ErrUnsupported):
			told = sent
		case err != nil && fastest < 0:
			return err
		case err != nil:
			continue
		}
		if took := max(0, received.Sub(sent)); fastest < 0 || took < fastest {
			fastest, best = took, measurement{sent, ahead(told, sent, took)}
		}
	}
	c.last.Store(&best)
	c.warn(best.ahead)
	return nil
}

// ahead returns how far the clock that told a time during an exchange is ahead
// of the clock by which the exchange began and lasted. It returns 0 if they may
// agree.
func ahead(told, began time.Time, took time.Duration) time.Duration {
	least := told.Round(0).Sub(began.Round(0)) - took
	if least <= clockGrain && least+took >= -clockGrain {
		return 0
	}
	return least + took/2
}

// warn warns once while this process's clock is off.
func (c *clock) warn(ahead time.Duration) {
	off := ahead.Abs() > clockIsOff
	if c.warned.Swap(off) || !off {
		return
	}
	c.logger.Warn("clock differs from the store's: times are reckoned by the store's; set the clock of this machine, as by NTP",
		slog.String("store_ahead", ahead.Round(time.Millisecond).String()))
}
