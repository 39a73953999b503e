package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// defaultStopDelay is longer than common load balancers take to notice that
// /readyz says 503, and leaves time for requests within the 10 seconds after
// which a container is killed by default.
const defaultStopDelay = 5 * time.Second

// errTerminated is the cause of a context that SIGTERM ended. A supervisor sends
// it to a process behind a load balancer, which must learn of the stop first. An
// interrupt, as by Ctrl-C, has no such cause.
var errTerminated = errors.New("terminated")

// untilSignal returns a context that the first signal ends. A second signal ends
// the process at once.
func untilSignal() (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		received := <-signals
		signal.Stop(signals)
		if received == syscall.SIGTERM {
			cancel(errTerminated)
		}
		cancel(nil)
	}()
	return ctx, func() {
		signal.Stop(signals)
		cancel(nil)
	}
}
