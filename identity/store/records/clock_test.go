package records_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/store/records"
)

// clockStore is a store whose clock may be away, slow, or ahead of the time.
type clockStore struct {
	*memstore.Store
	err   error
	slow  []time.Duration // of the next answers; half of it passes before the clock is read
	ahead time.Duration
	calls atomic.Int64
}

func (s *clockStore) Time(context.Context) (time.Time, error) {
	s.calls.Add(1)
	var slow time.Duration
	if len(s.slow) > 0 {
		slow, s.slow = s.slow[0], s.slow[1:]
	}
	<-time.After(slow / 2)
	now := time.Now().Add(s.ahead)
	<-time.After(slow / 2)
	return now, s.err
}

// A machine is a process's clock, which may be wrong, jump, or stand still while
// the machine sleeps.
type machine struct{ ahead atomic.Int64 }

func (m *machine) set(d time.Duration) { m.ahead.Store(int64(d)) }

func (m *machine) now() time.Time { return time.Now().Add(time.Duration(m.ahead.Load())) }

func openClock(t *testing.T, s store.Store, m *machine, log *bytes.Buffer) *records.Cache {
	t.Helper()
	c, err := records.Open(records.Config{Store: s, Keys: []records.Key{testKey}, Logger: slog.New(slog.NewTextHandler(log, nil)), Now: m.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func wantOffset(t *testing.T, c *records.Cache, want time.Duration) {
	t.Helper()
	if got := c.ClockOffset(); got != want {
		t.Errorf("ClockOffset = %v, want %v", got, want)
	}
	if got := time.Until(c.Now()); want != 0 && got != 0 {
		t.Errorf("Now = %v from the store's clock, want the same", got)
	}
}

// field 12: a process whose clock is wrong reckons by the store's and warns
// once.
func TestClockOfTheStore(t *testing.T) {
	for _, off := range []time.Duration{0, -time.Minute, time.Minute, -5 * time.Minute, time.Hour, 24 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			var m machine
			var log bytes.Buffer
			m.set(off)
			c := openClock(t, &clockStore{Store: memstore.New()}, &m, &log)
			<-time.After(10 * time.Minute)
			wantOffset(t, c, -off)
			if got, want := strings.Count(log.String(), "level=WARN"), min(1, int(off.Abs()/time.Second)); got != want {
				t.Errorf("clock off by %v: %d warnings, want %d\n%s", off, got, want, log.String())
			}
		})
	}
}

// field 12: the offset is known before a record is read or written, also if the
// store was away at first.
func TestClockIsMeasuredFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m machine
		m.set(-time.Hour)
		s := &clockStore{Store: memstore.New(), err: store.NewFault(t.Context(), "time", errDown)}
		c := openClock(t, s, &m, new(bytes.Buffer))
		k := records.NewKind(c, "text:", records.JSON[string]())
		synctest.Wait()
		r := records.Record[string]{ID: k.ID("key"), Expires: time.Now().Add(time.Hour)}
		_, putErr := k.Put(t.Context(), r)
		_, getErr := k.Get(t.Context(), r.ID)
		_, listErr := k.List(t.Context(), "owner")
		for op, err := range map[string]error{"Put": putErr, "Get": getErr, "List": listErr} {
			if !errors.Is(err, store.ErrUnavailable) {
				t.Errorf("%s without the store's clock = %v, want ErrUnavailable", op, err)
			}
		}
		s.err = nil
		if _, err := k.Put(t.Context(), r); err != nil {
			t.Errorf("Put = %v, want no error", err)
		}
		wantOffset(t, c, time.Hour)
	})
}

// field 12: half of the round trip is subtracted, the fastest of three slow
// answers counts, a failure keeps the last offset, and a clock that jumps is
// measured at the next read.
func TestClockIsMeasuredWell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m machine
		s := &clockStore{Store: memstore.New()}
		c := openClock(t, s, &m, new(bytes.Buffer))
		synctest.Wait()
		m.set(-time.Minute)
		s.slow = []time.Duration{400 * time.Millisecond}
		if err := c.MeasureClock(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantOffset(t, c, time.Minute)

		s.slow = []time.Duration{3 * time.Second, 600 * time.Millisecond, time.Second}
		calls := s.calls.Load()
		if err := c.MeasureClock(t.Context()); err != nil || s.calls.Load() != calls+3 {
			t.Errorf("%d calls, %v, want 3 calls while answers are slow", s.calls.Load()-calls, err)
		}
		wantOffset(t, c, time.Minute)

		s.err = errDown
		if err := c.MeasureClock(t.Context()); !errors.Is(err, errDown) {
			t.Errorf("MeasureClock = %v, want %v", err, errDown)
		}
		wantOffset(t, c, time.Minute)
	})
}

// field 12: another server may serve the store after an interruption of the
// watch.
func TestClockAfterAFailover(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &clockStore{Store: memstore.New()}
		watched := &testStore{Store: s, events: make(chan store.Event)}
		c := openClock(t, &struct {
			*testStore
			store.Clock
		}{watched, s}, new(machine), new(bytes.Buffer))
		watched.report(store.Synced)
		s.ahead = time.Minute
		watched.report(store.Lost)
		watched.report(store.Synced)
		if got := c.ClockOffset(); got != time.Minute {
			t.Errorf("ClockOffset after a failover to a server that is a minute ahead = %v, want 1m", got)
		}
	})
}

// A store without a clock leaves a process its own.
func TestStoreWithoutAClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m machine
		m.set(time.Hour)
		c := openClock(t, &testStore{Store: memstore.New()}, &m, new(bytes.Buffer))
		if err := c.MeasureClock(t.Context()); err != nil {
			t.Errorf("MeasureClock = %v, want no error", err)
		}
		if got := c.ClockOffset(); got != 0 {
			t.Errorf("ClockOffset = %v, want 0", got)
		}
	})
}

// slept returns t as a machine tells it that slept for d: its wall clock went
// on, and its monotonic clock did not. A negative d sets the wall clock back.
// Only a conversion makes such a time.
func slept(t time.Time, d time.Duration) time.Time {
	wall := (*uint64)(unsafe.Pointer(&t)) // package time: seconds above 30 bits of nanoseconds
	*wall += uint64(d/time.Second) << 30
	return t
}

// field 12: a clock that jumps is measured at the next read.
func TestClockThatJumps(t *testing.T) {
	real := time.Now() // times in a bubble have no monotonic reading
	for _, jump := range []time.Duration{time.Hour, -time.Hour, 5 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			var by atomic.Int64
			began := time.Now()
			monotonic := func() time.Time { return real.Add(time.Since(began)) }
			c, err := records.Open(records.Config{
				Store: &clockStore{Store: memstore.New(), ahead: real.Sub(began)}, Keys: []records.Key{testKey},
				Now: func() time.Time { return slept(monotonic(), time.Duration(by.Load())) },
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(c.Close)
			k := records.NewKind(c, "text:", records.JSON[string]())
			_, _ = k.Get(t.Context(), k.ID("key"))
			if got := c.ClockOffset(); got != 0 {
				t.Errorf("ClockOffset before the jump = %v, want 0", got)
			}
			synctest.Wait() // no measurement is under way
			by.Store(int64(jump))
			_, _ = k.Get(t.Context(), k.ID("key"))
			if got := c.ClockOffset(); got != -jump {
				t.Errorf("ClockOffset after a jump by %v = %v, want the opposite", jump, got)
			}
		})
	}
}
