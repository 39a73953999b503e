package tokenapi

import "time"

// wallClock returns the clock without its monotonic readings; nil: time.Now.
// Times that outlive a call are compared by the wall clock, because the
// monotonic clock may stand still while the machine sleeps.
func wallClock(now func() time.Time) func() time.Time {
	if now == nil {
		now = time.Now
	}
	return func() time.Time { return now().Round(0) }
}
