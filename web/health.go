package web

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/web/internal/answer"
)

// The bounds of a readiness check.
const (
	readyWait   = 2 * time.Second // for the store and all IdentityServers together
	readyCached = 5 * time.Second // how long an answer is given again
)

// readyKey is asked of the store. Nothing is kept there.
const readyKey = "ready"

// What a check found.
const (
	stateReady       = "ready"
	stateUnavailable = "unavailable"
)

// healthz says that the process serves requests. It depends on nothing.
func healthz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, "ok\n")
}

// readiness says whether people can sign in and stay so: whether the store
// answers, and each client's discovery document and keys can be had. However
// often it is asked, it asks them only every few seconds.
type readiness struct {
	server   *Server
	stopping atomic.Bool

	mu    sync.Mutex // held while asking, so that one asks and the others wait
	asked time.Time
	last  *readyReport
}

// readyReport is what /readyz answers. It names what is not ready, and nothing more of it.
type readyReport struct {
	Ready    bool              `json:"ready"`
	Stopping bool              `json:"stopping,omitempty"`
	Store    string            `json:"store,omitempty"`
	Clients  map[string]string `json:"clients,omitempty"`
}

func newReadiness(s *Server) *readiness { return &readiness{server: s} }

// Drain makes /readyz answer 503 from now on, so that no more requests are sent here while those
// under way, and those that still come, are served. Stopping begins with it.
func (s *Server) Drain() { s.ready.stopping.Store(true) }

func (h *readiness) serve(w http.ResponseWriter, r *http.Request) {
	report := &readyReport{Stopping: true}
	if !h.stopping.Load() {
		report = h.check(r.Context())
	}
	status := http.StatusOK
	if !report.Ready {
		status = http.StatusServiceUnavailable
		w.Header().Set("Retry-After", "5")
	}
	answer.JSON(w, status, report)
}

// check asks, unless the last answer is still good. A caller that goes away
// does not spoil the answer for the others.
func (h *readiness) check(ctx context.Context) *readyReport {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.server.config.Now()
	if h.last != nil && now.Sub(h.asked) < readyCached {
		return h.last
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readyWait)
	defer cancel()
	var (
		asking sync.WaitGroup
		mu     sync.Mutex
		report = &readyReport{Clients: make(map[string]string)}
	)
	for name, client := range h.server.clients {
		asking.Go(func() {
			state := h.server.readyClient(ctx, name, client)
			mu.Lock()
			defer mu.Unlock()
			report.Clients[name] = state
		})
	}
	asking.Go(func() { report.Store = h.server.readyStore(ctx) })
	asking.Wait()
	report.Ready = report.Store == stateReady
	for _, state := range report.Clients {
		report.Ready = report.Ready && state == stateReady
	}
	h.asked, h.last = now, report
	return report
}

func (s *Server) readyClient(ctx context.Context, name string, client *identity.Client) string {
	if err := client.Ready(ctx); err != nil {
		s.events.record(ctx, eventNotReady, "client", name, "error", err)
		return stateUnavailable
	}
	return stateReady
}

// readyStore asks for what is not there: that it is not is an answer.
func (s *Server) readyStore(ctx context.Context) string {
	if _, err := s.config.Store.Get(ctx, readyKey); err != nil && !errors.Is(err, store.ErrNotFound) {
		s.events.record(ctx, eventNotReady, "store", true, "error", err)
		return stateUnavailable
	}
	return stateReady
}
