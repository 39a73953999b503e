package gateway

import (
	"sync"
	"time"
)

// A call is open for one to two watchTicks before its session is watched. Most
// calls are over by then.
const watchTick = 100 * time.Millisecond

// A watchdog has calls watched that last. One timer serves all calls: a timer
// for each costs more than the rest of a call's bookkeeping. The zero value is
// ready for use.
type watchdog struct {
	mu      sync.Mutex            // not held while anything waits
	calls   [2]map[*call]struct{} // not watched yet: begun since the last tick, and before it
	ticking bool
}

// add has c watched at the second tick from now on, unless it is removed.
func (d *watchdog) add(c *call) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.calls[0] == nil {
		d.calls[0] = make(map[*call]struct{})
	}
	d.calls[0][c] = struct{}{}
	if !d.ticking {
		d.ticking = true
		time.AfterFunc(watchTick, d.tick)
	}
}

// remove reports whether c was not watched yet. It will not be then.
func (d *watchdog) remove(c *call) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, calls := range d.calls {
		if _, known := calls[c]; known {
			delete(calls, c)
			return true
		}
	}
	return false
}

func (d *watchdog) tick() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for c := range d.calls[1] {
		c.watching.Go(c.watchUntilEnd)
	}
	clear(d.calls[1])
	d.calls[0], d.calls[1] = d.calls[1], d.calls[0]
	if d.ticking = len(d.calls[1]) > 0; d.ticking {
		time.AfterFunc(watchTick, d.tick)
	}
}
