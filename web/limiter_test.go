package web

import (
	"strconv"
	"testing"
	"time"
)

// clock is time that moves only when told.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func (c *clock) Pass(d time.Duration) { c.now = c.now.Add(d) }

func newClock() *clock { return &clock{now: time.Unix(1_800_000_000, 0)} }

func TestLimiterGivesBack(t *testing.T) {
	c := newClock()
	l := newLimiter(c.Now, 2, time.Minute)
	for range 50 {
		if wait := l.Take("a"); wait != 0 {
			t.Fatalf("wait %v, want none: each attempt is given back", wait)
		}
		l.GiveBack("a")
	}
	l.Take("a")
	l.Take("a")
	if wait := l.Take("a"); wait != 30*time.Second {
		t.Errorf("wait %v after two attempts, want 30 s", wait)
	}
	l.Forget("a")
	if wait := l.Take("a"); wait != 0 {
		t.Errorf("wait %v after Forget, want none", wait)
	}
	l.GiveBack("never taken")
	l.Take("never taken")
	l.Take("never taken")
	if l.Take("never taken") == 0 {
		t.Error("a key got more attempts by GiveBack than it has")
	}
	c.Pass(-24 * time.Hour)
	if wait := l.Take("a"); wait > time.Minute {
		t.Errorf("wait %v after the clock was put back by a day, want at most a minute", wait)
	}
}

func TestLimiterMemory(t *testing.T) {
	c := newClock()
	l := newLimiter(c.Now, 1, time.Minute)
	l.Take("first")
	l.Take("second")
	for i := range maxCounted - 2 {
		l.Take(strconv.Itoa(i))
	}
	l.Take("first") // refused, but used
	l.Take("one more")
	if len(l.byKey) != maxCounted || l.order.Len() != maxCounted {
		t.Errorf("%d and %d entries, want %d", len(l.byKey), l.order.Len(), maxCounted)
	}
	if wait := l.Take("first"); wait == 0 {
		t.Error("the key used last was forgotten")
	}
	if wait := l.Take("second"); wait != 0 {
		t.Error("the key unused for longest was kept")
	}
}
