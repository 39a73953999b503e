package records

import "time"

// trustFor is how long memory answers after a sign of life of the watch. So a
// process that was stopped or cut off answers with what was true a second ago
// at most.
const trustFor = time.Second

// A pulse is the state of a watch that is up.
type pulse struct {
	epoch uint64    // counts how often the watch came up
	at    time.Time // of the last sign of life, store.Event.At
}

// watched returns the epoch of the watch, or 0 while it is interrupted.
func (c *Cache) watched() uint64 {
	if p := c.pulse.Load(); p != nil {
		return p.epoch
	}
	return 0
}

// trusted returns the epoch of the watch, or 0 if memory cannot be trusted now.
// It reads the monotonic clock only, which goes on while the process is stopped.
func (c *Cache) trusted() uint64 {
	p := c.pulse.Load()
	if p == nil || time.Since(p.at) >= trustFor {
		return 0
	}
	return p.epoch
}
