package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/vault"
	"b2trader.identity.auth/web/internal/gateway"
)

// metrics are the values that Config.Registerer gets. No label has a value that
// a user or an API may choose, so the number of time series is bounded.
type metrics struct {
	renewals          *prometheus.HistogramVec
	renewalWaits      *prometheus.HistogramVec
	leaseWaits        *prometheus.HistogramVec
	storeCalls        *prometheus.HistogramVec
	storeWatchesDown  prometheus.Gauge
	storeWatchesLost  prometheus.Counter
	events            map[*counter]*prometheus.CounterVec // of the table events
	upstreamResponses *prometheus.CounterVec
	upstreamDurations *prometheus.HistogramVec

	all        []prometheus.Collector
	registerer prometheus.Registerer // that has all; nil: none
	doc        strings.Builder       // the table of the package's doc
}

// Bounds of histograms, in seconds.
var (
	secondsOfWaiting = []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 20, 60}
	secondsOfStore   = []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5}
	secondsOfCalls   = []float64{.0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}
)

func newMetrics() *metrics {
	m := &metrics{events: make(map[*counter]*prometheus.CounterVec)}
	for _, e := range events {
		if c := e.counter; c != nil && m.events[c] == nil {
			m.events[c] = m.counter(c.name, c.help, c.labels...)
		}
	}
	m.describe("gauge", "live_sessions", liveSessionsHelp, "client")
	m.renewals = m.histogram("renewal_duration_seconds", "Token renewals; result is a vault.Result.", secondsOfWaiting, "client", "result")
	m.renewalWaits = m.histogram("renewal_wait_seconds", "Requests that waited for a token renewal.", secondsOfWaiting, "client", "result")
	m.leaseWaits = m.histogram("lease_wait_seconds", "Renewals that waited for another process's lease.", secondsOfWaiting, "client")
	m.storeCalls = m.histogram("store_operation_duration_seconds", "Operations of the store; conflict and not_found are no failures.", secondsOfStore, "op", "result")
	m.storeWatchesDown = prometheus.NewGauge(m.describe("gauge", "store_watches_down", "Watches of the store that are interrupted: reads go to the store."))
	m.storeWatchesLost = prometheus.NewCounter(prometheus.CounterOpts(m.describe("counter", "store_watch_interruptions_total", "Interruptions of watches of the store.")))
	m.upstreamResponses = m.counter("upstream_responses_total", "Answers of the APIs; code is a status, none or other.", "upstream", "code")
	m.upstreamDurations = m.histogram("upstream_duration_seconds", "API calls, until their answer has been passed on; without streams.", secondsOfCalls, "upstream")
	m.all = append(m.all, m.storeWatchesDown, m.storeWatchesLost, m.buildInfo())
	return m
}

// describe adds a line to the doc. The help is in the metric itself.
func (m *metrics) describe(kind, name, help string, labels ...string) prometheus.GaugeOpts {
	full := "b2trader_" + name
	if len(labels) > 0 {
		full += "{" + strings.Join(labels, ",") + "}"
	}
	fmt.Fprintf(&m.doc, "//\t%-57s  %s\n", full, kind)
	return prometheus.GaugeOpts{Name: "b2trader_" + name, Help: help}
}

func (m *metrics) counter(name, help string, labels ...string) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts(m.describe("counter", name, help, labels...)), labels)
	m.all = append(m.all, c)
	return c
}

func (m *metrics) histogram(name, help string, bounds []float64, labels ...string) *prometheus.HistogramVec {
	m.describe("histogram", name, help, labels...)
	h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "b2trader_" + name, Help: help, Buckets: bounds}, labels)
	m.all = append(m.all, h)
	return h
}

func (m *metrics) buildInfo() prometheus.Collector {
	labels := prometheus.Labels{"version": "unknown", "revision": "unknown", "go": "unknown"}
	if info, ok := debug.ReadBuildInfo(); ok {
		labels["version"], labels["go"] = info.Main.Version, info.GoVersion
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				labels["revision"] = s.Value
			}
		}
	}
	opts := m.describe("gauge", "build_info", "Always 1; the labels describe the program.", "version", "revision", "go")
	opts.ConstLabels = labels
	g := prometheus.NewGauge(opts)
	g.Set(1)
	return g
}

// register registers all metrics, with the live sessions of v. If one cannot be
// registered, it removes the others.
func (m *metrics) register(r prometheus.Registerer, v *vault.Vault) error {
	if r == nil {
		return nil
	}
	m.all = append(m.all, liveSessions{v})
	for i, c := range m.all {
		if err := r.Register(c); err != nil {
			for _, registered := range m.all[:i] {
				r.Unregister(registered)
			}
			return fmt.Errorf("web: Config.Registerer: %w", err)
		}
	}
	m.registerer = r
	return nil
}

// unregister removes the metrics that register has registered, so that another
// Server can register its own.
func (m *metrics) unregister() {
	if m.registerer == nil {
		return
	}
	for _, c := range m.all {
		m.registerer.Unregister(c)
	}
}

// liveSessions is a Collector that counts the vault's entries at each scrape.
type liveSessions struct{ vault *vault.Vault }

const liveSessionsHelp = "Sessions that this process has in memory: those used within the last ten minutes or so."

var liveSessionsDesc = prometheus.NewDesc("b2trader_live_sessions", liveSessionsHelp, []string{"client"}, nil)

// Describe implements prometheus.Collector.
func (liveSessions) Describe(descs chan<- *prometheus.Desc) { descs <- liveSessionsDesc }

// Collect implements prometheus.Collector.
func (l liveSessions) Collect(values chan<- prometheus.Metric) {
	for client, n := range l.vault.Live() {
		values <- prometheus.MustNewConstMetric(liveSessionsDesc, prometheus.GaugeValue, float64(n), client)
	}
}

// renewal counts a renewal that this process carried out or waited for.
func (m *metrics) renewal(r vault.Renewal) {
	m.renewals.WithLabelValues(r.Client, string(r.Result)).Observe(r.Duration.Seconds())
	if r.LeaseWait > 0 {
		m.leaseWaits.WithLabelValues(r.Client).Observe(r.LeaseWait.Seconds())
	}
}

// renewalWait counts a request that waited for a renewal.
func (m *metrics) renewalWait(w vault.Wait) {
	m.renewalWaits.WithLabelValues(w.Client, resultOf(w.Err)).Observe(w.Duration.Seconds())
}

// upstreamMetrics counts the calls of one API. It implements gateway.Metrics.
type upstreamMetrics struct {
	byCode    func(code string) prometheus.Counter
	byStatus  sync.Map // of prometheus.Counter by status: finding one by its labels is slow
	durations prometheus.Observer
}

func (m *metrics) upstream(name string) gateway.Metrics {
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
	{identity.ErrSecondFactorRefused, "second_factor_refused"},
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
