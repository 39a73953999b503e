package web

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/web/internal/answer"
)

// The bounds of a readiness check.
const (
	readyWait   = 2 * time.Second // for the store and all IdentityServers together
	readyCached = 5 * time.Second // how long an answer is given again
)

// The record that a check writes.
const (
	readyPrefix = "ready:"
	readyLife   = time.Hour // beyond any difference of the clocks
)

// The states of a part.
const (
	stateReady       = "ready"
	stateUnavailable = "unavailable"
)

// healthz answers that the process serves requests. It checks nothing else.
func healthz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, "ok\n")
}

// readiness checks whether people can sign in and stay signed in: whether the
// store can be written, and each client's discovery document and keys are available.
// It checks at most once in readyCached.
type readiness struct {
	*site
	stopping    atomic.Bool
	clockOffset func() time.Duration // of the store's clock to this process's

	mu      sync.Mutex // held during a check, so that others wait for it
	checked time.Time
	last    *readyReport
	written store.Record // by the last check
}

// readyReport is the answer of /readyz. It names the parts that are not ready,
// without the reasons. A wrong clock of this process does not make it unready,
// because the store's clock is used.
type readyReport struct {
	Ready    bool              `json:"ready"`
	Stopping bool              `json:"stopping,omitempty"`
	Store    string            `json:"store,omitempty"`
	Clients  map[string]string `json:"clients,omitempty"`
	Parts    map[string]string `json:"parts,omitempty"` // of the host application
	Clock    string            `json:"clock,omitempty"` // of this process, if it is wrong
}

// Drain makes /readyz answer 503 from now on, so that load balancers send no more
// requests. The site serves requests as before. Call it first when the process
// stops.
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

// check returns the last report if it is new enough, else it checks all parts. It
// goes on if the caller goes away.
func (h *readiness) check(ctx context.Context) *readyReport {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.config.Now()
	if age := now.Sub(h.checked); h.last != nil && age >= 0 && age < readyCached { // negative: the clock was set back
		return h.last
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readyWait)
	defer cancel()
	var (
		checks sync.WaitGroup
		mu     sync.Mutex
		report = &readyReport{Clients: make(map[string]string), Parts: make(map[string]string)}
	)
	checkPart := func(states map[string]string, kind, name string, ready func(context.Context) error) {
		checks.Go(func() {
			state := h.stateOf(ctx, kind, name, ready)
			mu.Lock()
			defer mu.Unlock()
			states[name] = state
		})
	}
	for name, client := range h.clients {
		checkPart(report.Clients, "client", name, client.Ready)
	}
	for name, ready := range h.config.Ready {
		checkPart(report.Parts, "part", name, ready)
	}
	checks.Go(func() { report.Store = h.readyStore(ctx) })
	checks.Wait()
	report.Ready = report.Store == stateReady
	for _, states := range []map[string]string{report.Clients, report.Parts} {
		for _, state := range states {
			report.Ready = report.Ready && state == stateReady
		}
	}
	report.Clock = clockState(h.clockOffset())
	h.checked, h.last = now, report
	return report
}

// clockState describes the clock of this process if it differs from the store's
// by more than two seconds, else it returns "".
func clockState(storeAhead time.Duration) string {
	off := storeAhead.Abs().Round(time.Second)
	switch {
	case storeAhead > 2*time.Second:
		return off.String() + " behind the store's clock"
	case storeAhead < -2*time.Second:
		return off.String() + " ahead of the store's clock"
	}
	return ""
}

func (h *readiness) stateOf(ctx context.Context, kind, name string, ready func(context.Context) error) string {
	if err := ready(ctx); err != nil {
		h.events.record(ctx, eventNotReady, kind, name, "error", err)
		return stateUnavailable
	}
	return stateReady
}

// readyStore writes a record of this process and reads it: with a store that can
// only be read, such as a standby, sign-ins fail. It is the same record each
// time.
func (h *readiness) readyStore(ctx context.Context) string {
	err := h.write(ctx)
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrConflict) { // it expired, or the store forgot it
		err = h.write(ctx)
	}
	if err == nil {
		_, err = h.config.Store.Get(ctx, h.written.Key)
	}
	if err != nil {
		h.events.record(ctx, eventNotReady, "store", true, "error", err)
		return stateUnavailable
	}
	return stateReady
}

// write writes the record again, or a new one after an error.
func (h *readiness) write(ctx context.Context) error {
	r := h.written
	if r.Key == "" {
		r.Key = readyPrefix + rand.Text()
	}
	r.Expires = h.sessions.Now().Add(readyLife)
	h.written = store.Record{}
	version, err := h.config.Store.Put(ctx, r)
	if err == nil {
		r.Version = version
		h.written = r
	}
	return err
}
