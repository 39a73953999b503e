package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/vault"
)

// metrics are what Config.Registerer shows; the package's doc has the table. No
// label holds what a user or an upstream may choose freely, so their number is bounded.
type metrics struct {
	renewals          *prometheus.HistogramVec
	renewalWaits      *prometheus.HistogramVec
	leaseWaits        *prometheus.HistogramVec
	storeCalls        *prometheus.HistogramVec
	storeWatchesDown  prometheus.Gauge
	storeWatchesLost  prometheus.Counter
	signIns           *prometheus.CounterVec
	secondFactors     *prometheus.CounterVec
	attemptsRefused   *prometheus.CounterVec
	signOuts          *prometheus.CounterVec
	revocations       *prometheus.CounterVec
	upstreamResponses *prometheus.CounterVec
	upstreamDurations *prometheus.HistogramVec

	all []prometheus.Collector
}

// Bounds of histograms, in seconds.
var (
	secondsOfWaiting = []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 20, 60}
	secondsOfStore   = []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5}
	secondsOfCalls   = []float64{.0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}
)

func newMetrics() *metrics {
	m := &metrics{}
	m.renewals = m.histogram("renewal_duration_seconds", "Token renewals.", secondsOfWaiting, "client", "result")
	m.renewalWaits = m.histogram("renewal_wait_seconds", "Requests that waited for a token renewal.", secondsOfWaiting, "client", "result")
	m.leaseWaits = m.histogram("lease_wait_seconds", "Renewals that waited for another process's lease.", secondsOfWaiting, "client")
	m.storeCalls = m.histogram("store_operation_duration_seconds", "Operations of the store.", secondsOfStore, "op", "result")
	m.storeWatchesDown = prometheus.NewGauge(prometheus.GaugeOpts{Name: "b2trader_store_watches_down", Help: "Watches of the store that are interrupted."})
	m.storeWatchesLost = prometheus.NewCounter(prometheus.CounterOpts{Name: "b2trader_store_watch_interruptions_total", Help: "Interruptions of watches of the store."})
	m.all = append(m.all, m.storeWatchesDown, m.storeWatchesLost, buildInfo())
	m.signIns = m.counter("sign_ins_total", "Sign-ins that finished or failed.", "client", "result")
	m.secondFactors = m.counter("second_factors_total", "One-time codes entered.", "client", "result")
	m.attemptsRefused = m.counter("attempts_refused_total", "Attempts to sign in beyond the limit.", "by")
	m.signOuts = m.counter("sign_outs_total", "Sessions ended, other than by a refused renewal.", "reason")
	m.revocations = m.counter("revocations_total", "Sign-outs at the IdentityServer.", "client", "result")
	m.upstreamResponses = m.counter("upstream_responses_total", "Answers of the APIs.", "upstream", "code")
	m.upstreamDurations = m.histogram("upstream_duration_seconds", "API calls, until their answer has been passed on.", secondsOfCalls, "upstream")
	return m
}

func (m *metrics) counter(name, help string, labels ...string) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "b2trader_" + name, Help: help}, labels)
	m.all = append(m.all, c)
	return c
}

func (m *metrics) histogram(name, help string, bounds []float64, labels ...string) *prometheus.HistogramVec {
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
	g := prometheus.NewGauge(prometheus.GaugeOpts{Name: "b2trader_build_info", Help: "Always 1: what is running.", ConstLabels: labels})
	g.Set(1)
	return g
}

// register shows everything, the live sessions of v included. A failure leaves nothing behind.
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
	return nil
}

// unregister makes room for another Server.
func (m *metrics) unregister(r prometheus.Registerer) {
	if r == nil {
		return
	}
	for _, c := range m.all {
		r.Unregister(c)
	}
}

// liveSessions asks the vault at each scrape.
type liveSessions struct{ vault *vault.Vault }

var liveSessionsDesc = prometheus.NewDesc("b2trader_live_sessions",
	"Sessions and machine identities that this process has in memory: those in use within the last ten minutes or so.", []string{"client"}, nil)

// Describe implements prometheus.Collector.
func (liveSessions) Describe(descs chan<- *prometheus.Desc) { descs <- liveSessionsDesc }

// Collect implements prometheus.Collector.
func (l liveSessions) Collect(values chan<- prometheus.Metric) {
	for client, n := range l.vault.Live() {
		values <- prometheus.MustNewConstMetric(liveSessionsDesc, prometheus.GaugeValue, float64(n), client)
	}
}

// renewal notes a renewal that this process carried out or waited for.
func (m *metrics) renewal(r vault.Renewal) {
	m.renewals.WithLabelValues(r.Client, string(r.Result)).Observe(r.Duration.Seconds())
	if r.LeaseWait > 0 {
		m.leaseWaits.WithLabelValues(r.Client).Observe(r.LeaseWait.Seconds())
	}
}

// renewalWait notes a request that waited for a renewal.
func (m *metrics) renewalWait(w vault.Wait) {
	m.renewalWaits.WithLabelValues(w.Client, resultOf(w.Err)).Observe(w.Duration.Seconds())
}

// upstream notes the status of an API's answer, 0 if there was none.
func (m *metrics) upstream(name string, status int) {
	code := "other"
	switch {
	case status == 0:
		code = "none"
	case http.StatusText(status) != "":
		code = strconv.Itoa(status)
	}
	m.upstreamResponses.WithLabelValues(name, code).Inc()
}

// upstreamTook notes how long a call of an API took until its answer had been passed on.
func (m *metrics) upstreamTook(name string, took time.Duration) {
	m.upstreamDurations.WithLabelValues(name).Observe(took.Seconds())
}

// results are what errors come down to, the first that fits.
var results = []struct {
	err  error
	word string
}{
	{context.Canceled, "abandoned"},
	{identity.ErrBadCredentials, "bad_credentials"},
	{identity.ErrSecondFactorRefused, "second_factor_refused"},
	{identity.ErrGrantRefused, "refused"},
	{identity.ErrNotSignedIn, "refused"},
	{identity.ErrMisconfigured, "misconfigured"},
	{identity.ErrUnusableAnswer, "unusable_answer"},
	{vault.ErrEnded, "ended"},
	{vault.ErrNotFound, "ended"},
	{store.ErrNotFound, "not_found"},
	{store.ErrDeleted, "deleted"},
	{store.ErrConflict, "conflict"},
	{store.ErrInvalid, "invalid"},
	{context.DeadlineExceeded, "timeout"},
	{identity.ErrUnavailable, "unavailable"},
	{store.ErrUnavailable, "unavailable"},
}

// resultOf is an error in one of a few words.
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
