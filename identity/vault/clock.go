package vault

import "time"

// Times in records are reckoned by the store's clock, so that processes whose
// own clocks differ agree on them. Callers and Refreshers get and give times by
// the clock of this process.

// storeNow returns the time by the store's clock.
func (v *Vault) storeNow() time.Time { return v.cache.Now() }

// storeAhead returns how far the store's clock is ahead of this process's.
func (v *Vault) storeAhead() time.Duration { return v.cache.ClockOffset() }

// shifted returns t moved by d, without a monotonic reading. The zero time
// stays zero.
func shifted(t time.Time, d time.Duration) time.Time {
	if t.IsZero() {
		return t
	}
	return t.Round(0).Add(d)
}

// passed reports whether a deadline of this process has passed by its wall
// clock or by its monotonic clock. The wall clock may be set back, and the
// monotonic clock may stand still while the machine sleeps.
func passed(deadline, now time.Time) bool {
	return !now.Before(deadline) || !now.Round(0).Before(deadline.Round(0))
}
