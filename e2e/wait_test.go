package e2e

import (
	"bytes"
	"sync"
	"testing"
	"time"
)

// patience bounds every wait for something that must happen. It only decides
// how long a failing test takes, so it is far longer than a slow machine needs.
const patience = 3 * time.Minute

// until polls the condition until it holds, often at first and less later.
func until(tb testing.TB, what string, condition func() bool) {
	tb.Helper()
	began, pause := time.Now(), 10*time.Millisecond
	for !condition() {
		if time.Since(began) > patience {
			tb.Fatalf("no %s after %v", what, patience)
		}
		<-time.After(pause)
		pause = min(2*pause, 200*time.Millisecond)
	}
}

// receive returns the next value of a channel.
func receive[T any](tb testing.TB, from <-chan T, what string) T {
	tb.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		tb.Fatalf("no %s after %v", what, patience)
		panic("unreachable")
	}
}

// must returns what a constructor returned, or fails the test.
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// logBuffer collects a log. It is safe for concurrent use.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
