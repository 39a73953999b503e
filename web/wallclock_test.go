package web

import (
	"testing"
	"time"
)

// field 11: times of limits, pending sign-ins and sessions have no monotonic
// reading, which stands still while a machine sleeps. The vault, which compares
// both clocks, gets it.
func TestTimesAreOfTheWallClock(t *testing.T) {
	for name, config := range map[string]Config{"the default": {}, "a configured clock": {Now: time.Now}} {
		c := config.withDefaults()
		if now := c.Now(); now != now.Round(0) { // == compares the monotonic reading, too
			t.Errorf("%s: Now = %v, want no monotonic reading", name, now)
		}
		if now := c.clock(); now == now.Round(0) { //nolint:staticcheck // Equal ignores the monotonic reading
			t.Errorf("%s: the vault's clock = %v, want a monotonic reading", name, now)
		}
	}
}
