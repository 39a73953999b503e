package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/records"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/vault"
	"b2trader.identity.auth/web/internal/gateway"
)

// Metrics are the values that [Config.Registerer] gets. No label has a value
// that a user or an API may choose, so the number of time series is bounded.
//
// A host application that keeps tokens beside the site's, such as those of an
// account that signs in without a person, counts them here: see
// [Config.Metrics]. The methods are safe for concurrent use. A client is a name
// of the host application's choice, such as "machine/reports".
type Metrics struct {
	renewals          *prometheus.HistogramVec
	renewalWaits      *prometheus.HistogramVec
	leaseWaits        *prometheus.HistogramVec
	storeCalls        *prometheus.HistogramVec
	storeWatchesDown  prometheus.Gauge
	storeWatchesLost  prometheus.Counter
	events            map[*counter]*prometheus.CounterVec // of the table events
	upstreamResponses *prometheus.CounterVec
	upstreamDurations *prometheus.HistogramVec

	mu     sync.Mutex
	vaults []*vault.Vault // that the live sessions are counted in

	all        []prometheus.Collector
	registerer prometheus.Registerer // that has all; nil: none
}

// Bounds of histograms, in seconds.
var (
	secondsOfWaiting = []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 20, 60}
	secondsOfStore   = []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5}
	secondsOfCalls   = []float64{.0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}
)

// NewMetrics returns Metrics that no registry has yet.
func NewMetrics() *Metrics {
	m := &Metrics{events: make(map[*counter]*prometheus.CounterVec)}
	for _, e := range events {
		if c := e.counter; c != nil && m.events[c] == nil {
			m.events[c] = m.counter(c.name, c.help, c.labels...)
		}
	}
	m.renewals = m.histogram("renewal_duration_seconds", "Token renewals; result is a vault.Result.", secondsOfWaiting, "client", "result")
	m.renewalWaits = m.histogram("renewal_wait_seconds", "Requests that waited for a token renewal.", secondsOfWaiting, "client", "result")
	m.leaseWaits = m.histogram("lease_wait_seconds", "Renewals that waited for another process's lease.", secondsOfWaiting, "client")
	m.storeCalls = m.histogram("store_operation_duration_seconds", "Operations of the store; conflict and not_found are no failures.", secondsOfStore, "op", "result")
	m.storeWatchesDown = prometheus.NewGauge(prometheus.GaugeOpts{Name: "b2trader_store_watches_down", Help: "Watches of the store that are interrupted: reads go to the store."})
	m.storeWatchesLost = prometheus.NewCounter(prometheus.CounterOpts{Name: "b2trader_store_watch_interruptions_total", Help: "Interruptions of watches of the store."})
	m.upstreamResponses = m.counter("upstream_responses_total", "Answers of the APIs; code is a status, none or other.", "upstream", "code")
	m.upstreamDurations = m.histogram("upstream_duration_seconds", "API calls, until their answer has been passed on; without streams.", secondsOfCalls, "upstream")
	m.all = append(m.all, m.storeWatchesDown, m.storeWatchesLost, buildInfo(), liveSessions{m})
	return m
}

func (m *Metrics) counter(name, help string, labels ...string) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "b2trader_" + name, Help: help}, labels)
	m.all = append(m.all, c)
	return c
}

func (m *Metrics) histogram(name, help string, bounds []float64, labels ...string) *prometheus.HistogramVec {
	h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "b2trader_" + name, Help: help, Buckets: bounds}, labels)
	m.all = append(m.all, h)
	return h
}

func buildInfo() prometheus.Collector {
	labels := prometheus.Labels{"version": "unknown", "revision": "unknown", "go": "unknown"}
	if info, ok := debug.ReadBuildInfo(); ok {
		labels["version"], labels["go"] = info.Main.Version, info.GoVersion
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				labels["revision"] = s.Value
			}
		}
	}
	g := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "b2trader_build_info", Help: "Always 1; the labels describe the program.", ConstLabels: labels,
	})
	g.Set(1)
	return g
}

// register registers all metrics, with the clock of cache. If one cannot be
// registered, it removes the others.
func (m *Metrics) register(r prometheus.Registerer, cache *records.Cache) error {
	if r == nil {
		return nil
	}
	m.all = append(m.all, prometheus.NewGaugeFunc(
		prometheus.GaugeOpts{
			Name: "b2trader_clock_offset_seconds",
			Help: "How far the store's clock is ahead of this process's; negative if it is behind.",
		},
		func() float64 { return cache.ClockOffset().Seconds() },
	))
	for i, c := range m.all {
		if err := r.Register(c); err != nil {
			for _, registered := range m.all[:i] {
				r.Unregister(registered)
			}
			return &tokenapi.FieldError{Field: "Config.Registerer", Err: fmt.Errorf("refuses a metric: %w", err)}
		}
	}
	m.registerer = r
	return nil
}

// unregister removes the metrics that register has registered, so that another
// Server can register its own.
func (m *Metrics) unregister() {
	if m.registerer == nil {
		return
	}
	for _, c := range m.all {
		m.registerer.Unregister(c)
	}
}

// AddVault counts the entries of v in b2trader_live_sessions, from now on.
func (m *Metrics) AddVault(v *vault.Vault) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.vaults = append(m.vaults, v)
}

// live returns the number of live sessions by client.
func (m *Metrics) live() map[string]int {
	m.mu.Lock()
	defer m.mu.Unlock()
	live := make(map[string]int)
	for _, v := range m.vaults {
		for client, n := range v.Live() {
			live[client] += n
		}
	}
	return live
}

// liveSessions is a Collector that counts the vaults' entries at each scrape.
type liveSessions struct{ metrics *Metrics }

var liveSessionsDesc = prometheus.NewDesc("b2trader_live_sessions",
	"Sessions that this process has in memory: those used within the last ten minutes or so.", []string{"client"}, nil)

// Describe implements prometheus.Collector.
func (liveSessions) Describe(descs chan<- *prometheus.Desc) { descs <- liveSessionsDesc }

// Collect implements prometheus.Collector.
func (l liveSessions) Collect(values chan<- prometheus.Metric) {
	for client, n := range l.metrics.live() {
		values <- prometheus.MustNewConstMetric(liveSessionsDesc, prometheus.GaugeValue, float64(n), client)
	}
}

// SignedIn counts a sign-in. The error is that of a sign-in that failed.
func (m *Metrics) SignedIn(client string, err error) {
	m.events[&signIns].WithLabelValues(client, resultOf(err)).Inc()
}

// Revoked counts a sign-out at a server. The error is that of one that failed.
func (m *Metrics) Revoked(client string, err error) {
	m.events[&revocations].WithLabelValues(client, resultOf(err)).Inc()
}

// Renewed counts a renewal that this process carried out or waited for. It is
// for vault.Config.OnRenewal.
func (m *Metrics) Renewed(r vault.Renewal) {
	m.renewals.WithLabelValues(r.Client, string(r.Result)).Observe(r.Duration.Seconds())
	if r.LeaseWait > 0 {
		m.leaseWaits.WithLabelValues(r.Client).Observe(r.LeaseWait.Seconds())
	}
}

// Waited counts a request that waited for a renewal. It is for
// vault.Config.OnWait.
func (m *Metrics) Waited(w vault.Wait) {
	m.renewalWaits.WithLabelValues(w.Client, resultOf(w.Err)).Observe(w.Duration.Seconds())
}

// upstreamMetrics counts the calls of one API. It implements gateway.Metrics.
type upstreamMetrics struct {
	byCode    func(code string) prometheus.Counter
	byStatus  sync.Map // of prometheus.Counter by status: finding one by its labels is slow
	durations prometheus.Observer
}

func (m *Metrics) upstream(name string) gateway.Metrics {
	return &upstreamMetrics{
		byCode:    func(code string) prometheus.Counter { return m.upstreamResponses.WithLabelValues(name, code) },
		durations: m.upstreamDurations.WithLabelValues(name),
	}
}

// Answered counts an API's answer by its status; 0 means no answer.
func (m *upstreamMetrics) Answered(status int) {
	code := "other"
	switch {
	case status == 0:
		code = "none"
	case http.StatusText(status) != "":
		if known, ok := m.byStatus.Load(status); ok {
			known.(prometheus.Counter).Inc()
			return
		}
		code = strconv.Itoa(status)
		m.byStatus.Store(status, m.byCode(code))
	}
	m.byCode(code).Inc()
}

// Took records how long a call took until the API's answer was passed on.
func (m *upstreamMetrics) Took(took time.Duration) { m.durations.Observe(took.Seconds()) }

// results are the values of the label "result". The first match counts.
var results = []struct {
	err  error
	word string
}{
	{context.Canceled, "abandoned"},
	{tokenapi.ErrBadCredentials, "bad_credentials"},
	{tokenapi.ErrSecondFactorRefused, "second_factor_refused"},
	{tokenapi.ErrGrantRefused, "refused"},
	{tokenapi.ErrNotSignedIn, "refused"},
	{tokenapi.ErrMisconfigured, "misconfigured"},
	{tokenapi.ErrUnusableAnswer, "unusable_answer"},
	{vault.ErrEnded, "ended"},
	{vault.ErrNotFound, "ended"},
	{store.ErrNotFound, "not_found"},
	{store.ErrDeleted, "deleted"},
	{store.ErrConflict, "conflict"},
	{store.ErrInvalid, "invalid"},
	{context.DeadlineExceeded, "timeout"},
	{tokenapi.ErrUnavailable, "unavailable"},
	{store.ErrUnavailable, "unavailable"},
}

// resultOf returns the value of the label "result" for err.
func resultOf(err error) string {
	if err == nil {
		return "ok"
	}
	for _, r := range results {
		if errors.Is(err, r.err) {
			return r.word
		}
	}
	if _, ok := errors.AsType[*vault.UnavailableError](err); ok {
		return "unavailable"
	}
	return "failed"
}
