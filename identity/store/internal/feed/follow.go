package feed

import (
	"context"
	"time"
)

const (
	firstPause = 50 * time.Millisecond
	lastPause  = 2 * time.Second
)

// Follow calls listen again and again until ctx ends. It returns when its connection does; the hub then is Lost. Pauses between
// the calls grow while connections do not last.
func (h *Hub) Follow(ctx context.Context, listen func(context.Context) error) {
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
