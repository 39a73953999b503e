package web

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"b2trader.identity.auth/identity"
)

// The bounds of a readiness check.
const (
	readyWait   = 2 * time.Second // for all IdentityServers together
	readyCached = 5 * time.Second // how long an answer is given again
)

// healthz says that the process serves requests. It depends on nothing.
func healthz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, "ok\n")
}

// readiness says whether people can sign in: whether each client's discovery
// document and keys can be had. However often it is asked, it asks the
// IdentityServer only every few seconds.
type readiness struct {
	server *Server

	mu      sync.Mutex // held while asking, so that one asks and the others wait
	asked   time.Time
	clients map[string]string
	ready   bool
}

func newReadiness(s *Server) *readiness { return &readiness{server: s} }

func (h *readiness) serve(w http.ResponseWriter, r *http.Request) {
	ready, clients := h.check(r.Context())
	status := http.StatusOK
	if !ready {
		status = http.StatusServiceUnavailable
		w.Header().Set("Retry-After", "5")
	}
	writeJSON(w, status, map[string]any{"ready": ready, "clients": clients})
}

// check asks, unless the last answer is still good. A caller that goes away
// does not spoil the answer for the others.
func (h *readiness) check(ctx context.Context) (bool, map[string]string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.server.config.Now()
	if h.clients != nil && now.Sub(h.asked) < readyCached {
		return h.ready, h.clients
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readyWait)
	defer cancel()
	var (
		asking sync.WaitGroup
		mu     sync.Mutex
		ready  = true
		found  = make(map[string]string)
	)
	for name, client := range h.server.clients {
		asking.Go(func() {
			state := h.server.readyClient(ctx, name, client)
			mu.Lock()
			defer mu.Unlock()
			found[name], ready = state, ready && state == "ready"
		})
	}
	asking.Wait()
	h.asked, h.clients, h.ready = now, found, ready
	return ready, found
}

func (s *Server) readyClient(ctx context.Context, name string, client *identity.Client) string {
	if err := client.Ready(ctx); err != nil {
		s.log(ctx, slog.LevelWarn, "not ready", "client", name, "error", err)
		return "unavailable"
	}
	return "ready"
}
