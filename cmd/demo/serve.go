package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/vault"
	"b2trader.identity.auth/web"
)

// stopWait bounds each step of a graceful stop, so that requests that do not
// end leave the renewals their time. renewalStopWait bounds a step that waits
// for renewals: a new token that is not stored by then is lost.
const (
	stopWait        = 20 * time.Second
	renewalStopWait = tokenapi.RefreshTimeout + 10*time.Second
)

// running keeps what was started, and stops it in the opposite order.
type running struct {
	logger    *slog.Logger
	failed    chan error // of what should have gone on
	stops     []stopStep
	announced []string // lines about embedded servers
}

type stopStep struct {
	wait time.Duration
	stop func(context.Context) error
}

// later adds a step to the stop.
func (r *running) later(stop func(context.Context) error) { r.laterWithin(stopWait, stop) }

// laterWithin adds a step that has that long.
func (r *running) laterWithin(wait time.Duration, stop func(context.Context) error) {
	r.stops = append(r.stops, stopStep{wait, stop})
}

// stop lets requests finish, then the renewals that they began, and then closes
// the store and the listeners.
func (r *running) stop() error {
	var problems []error
	for _, step := range slices.Backward(r.stops) {
		ctx, cancel := context.WithTimeout(context.Background(), step.wait)
		problems = append(problems, step.stop(ctx))
		cancel()
	}
	return errors.Join(problems...)
}

// serve runs the site, the metrics if they have an address, and the embedded
// servers if no IdentityServer is named, until ctx ends or one of them fails.
func serve(ctx context.Context, s *settings, stdout, stderr io.Writer) (err error) {
	r := &running{logger: newLogger(s.logFormat, stderr), failed: make(chan error, 8)}
	defer func() { err = errors.Join(err, r.stop()) }()
	for _, warning := range s.readableFiles() {
		r.logger.Warn(warning)
	}
	listener, err := r.listen(ctx, "-addr", s.addr)
	if err != nil {
		return err
	}
	opened, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	r.later(func(context.Context) error { return opened.Close() })
	registry, metricsURL, err := r.startMetrics(ctx, s.metricsAddr)
	if err != nil {
		return err
	}
	var (
		embedded    *identitytest.Server
		identityURL string
	)
	if s.identityURL == "" {
		embedded, err = identitytest.New(identitytest.Config{})
		if err := r.startTestServer("IdentityServer", "-identity-addr", cmp.Or(s.identityAddr, freeAddress), embedded, err); err != nil {
			return err
		}
		identityURL = embedded.URL()
		r.announce("B2Trader", identityURL, machineCredentials())
	}
	p, problems := s.site(identityURL, "http://"+listener.Addr().String())
	if err := errors.Join(problems...); err != nil {
		return err
	}
	if embedded != nil && s.platformsFile == "" {
		if p.showcase.Platforms, err = r.embeddedPlatforms(s, embedded, p.machines); err != nil {
			return err
		}
	}
	p.web.Logger, p.web.Store, p.web.Registerer = r.logger, opened, registry
	if s.storeKind() == memory {
		p.web.Keys = []vault.Key{vault.NewKey("process")}
	}
	site, err := p.open()
	if err != nil {
		return err
	}
	r.later(func(context.Context) error { site.records.Close(); return nil })
	r.laterWithin(renewalStopWait, site.pages.Close)
	r.laterWithin(renewalStopWait, site.Close)
	r.start("the site", site, listener)
	r.printURLs(stdout, p.web.PublicURL, identityURL, metricsURL)
	select {
	case <-ctx.Done():
		var delay time.Duration
		if errors.Is(context.Cause(ctx), errTerminated) {
			delay = s.stopDelay
		}
		r.logger.Info("stopping", "delay", delay)
		return r.drain(site.Server, delay)
	case err := <-r.failed:
		return err
	}
}

// drain makes load balancers send their requests elsewhere, for the delay, and
// then ends the streams, which do not end by themselves.
func (r *running) drain(site *web.Server, delay time.Duration) error {
	site.Drain()
	defer site.EndStreams()
	select {
	case <-time.After(delay):
		return nil
	case err := <-r.failed:
		return err
	}
}

// listen listens on an address until the stop.
func (r *running) listen(ctx context.Context, name, addr string) (net.Listener, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, listenError(err, name, addr)
	}
	r.later(func(context.Context) error {
		if err := listener.Close(); !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	})
	return listener, nil
}

// listenError says what to do about an address that cannot be listened on. The
// setting named it.
func listenError(err error, setting, addr string) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("another program listens on %s: stop it, or choose another port, such as %s 127.0.0.1:0 for any that is free", addr, setting)
	}
	return fmt.Errorf("listen on %s %s: %w", setting, addr, err)
}

// start serves h until the stop, which lets requests under way finish.
func (r *running) start(name string, h http.Handler, listener net.Listener) {
	server := newHTTPServer(h, r.logger)
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			r.failed <- fmt.Errorf("%s: %w", name, err)
		}
	}()
	r.later(func(ctx context.Context) error {
		if err := server.Shutdown(ctx); err != nil {
			return errors.Join(fmt.Errorf("%s: requests did not finish in time: %w", name, err), server.Close())
		}
		return nil
	})
}

// newHTTPServer returns a server with bounds for each phase of a connection.
func newHTTPServer(h http.Handler, logger *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      2 * time.Minute,  // more than the exchanges of a slow sign-in
		IdleTimeout:       75 * time.Second, // longer than load balancers keep idle connections, which is 60 s by default
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
}

// startMetrics serves /metrics on a listener of its own, never on the site's.
// If addr is empty, it serves none.
func (r *running) startMetrics(ctx context.Context, addr string) (prometheus.Registerer, string, error) {
	if addr == "" {
		return nil, "", nil
	}
	listener, err := r.listen(ctx, "-metrics-addr", addr)
	if err != nil {
		return nil, "", err
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	r.start("the metrics", mux, listener)
	return registry, "http://" + listener.Addr().String() + "/metrics", nil
}

// announce keeps the URL of an embedded server and its public credentials for
// printURLs.
func (r *running) announce(name, url, credentials string) {
	r.announced = append(r.announced, fmt.Sprintf("  %s: %s  %s", name, url, credentials))
}

// printURLs prints the URL of the site first, for people and for scripts.
func (r *running) printURLs(stdout io.Writer, site, identityURL, metricsURL string) {
	lines := []string{site}
	if identityURL != "" {
		lines = append(lines,
			"Open it in a browser: the page says what to try, and as which user.",
			"Embedded IdentityServer, for the npm client too: "+identityURL)
	}
	if len(r.announced) > 0 {
		lines = append(lines, "The embedded servers, which docs/neighbours.md calls with curl:")
		lines = append(lines, r.announced...)
	}
	if metricsURL != "" {
		lines = append(lines, "Metrics: "+metricsURL)
	}
	lines = append(lines, "Stop with Ctrl-C.")
	_, _ = fmt.Fprintln(stdout, strings.Join(lines, "\n")) // it is for people only
}

// newLogger writes to w, with times in UTC.
func newLogger(format string, w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Value.Kind() == slog.KindTime {
			a.Value = slog.TimeValue(a.Value.Time().UTC())
		}
		return a
	}}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
