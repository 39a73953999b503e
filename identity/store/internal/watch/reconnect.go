package watch

import (
	"context"
	"time"
)

const (
	firstPause = 50 * time.Millisecond
	lastPause  = 2 * time.Second
)

// Reconnect calls listen repeatedly until ctx ends. Each call listens on one
// connection and returns when that ends, and Reconnect then calls Lost. The
// pause between calls grows up to 2 s while connections end early.
func (h *Hub) Reconnect(ctx context.Context, listen func(context.Context) error) {
	pause := firstPause
	for {
		began := time.Now()
		err := listen(ctx)
		if ctx.Err() != nil {
			return
		}
		h.Lost(err)
		if time.Since(began) > lastPause {
			pause = firstPause
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		pause = min(2*pause, lastPause)
	}
}
