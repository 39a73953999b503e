package main

import (
	"testing"
	"time"

	"b2trader.identity.auth/identity/store/storetest/servers"
)

// patience is how long a program may take to do what a test waits for.
const patience = 60 * time.Second

// until waits for a condition, asking every few milliseconds.
func until(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// startRedis starts a real server until the test ends, and returns its URL.
func startRedis(t *testing.T) string {
	t.Helper()
	return servers.StartRedis(t).URL(0)
}
