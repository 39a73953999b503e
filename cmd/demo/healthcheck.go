package main

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// healthWait bounds the health check. It is less than the timeout of HEALTHCHECK
// in the Dockerfile.
const healthWait = 3 * time.Second

// checkHealth asks the program that listens on -addr whether it serves
// requests. An address of all interfaces is asked on this machine.
func (s *settings) checkHealth(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, healthWait)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.addr+"/healthz", nil)
	if err != nil {
		return fmt.Errorf("-healthcheck: -addr: %w", err)
	}
	resp, err := (&http.Transport{}).RoundTrip(r) // without the proxy of the environment
	if err != nil {
		return fmt.Errorf("-healthcheck: %w", err)
	}
	_ = resp.Body.Close() // only the status counts
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("-healthcheck: %s answers %s, want 200", r.URL, resp.Status)
	}
	return nil
}
