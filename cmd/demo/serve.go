package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/web"
)

// stopWait bounds a graceful stop: requests under way, then renewals.
const stopWait = 20 * time.Second

// serve runs the site, and the embedded IdentityServer if none is named, until
// ctx ends or one of them fails.
func serve(ctx context.Context, s *settings, stdout, stderr io.Writer) (err error) {
	logger := newLogger(s.logFormat, stderr)
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", s.addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("another program listens on %s: stop it, or choose another port, such as -addr 127.0.0.1:0 for any that is free", s.addr)
	} else if err != nil {
		return fmt.Errorf("listen on -addr %s: %w", s.addr, err)
	}
	failed := make(chan error, 2)
	var identityURL string
	if s.identityURL == "" {
		provider, err := startEmbedded(logger, failed)
		if err != nil {
			return errors.Join(err, listener.Close())
		}
		defer func() { err = errors.Join(err, provider.server.Close()) }() // last: renewals need it
		identityURL = provider.url
	}
	config, problems := s.site(identityURL, "http://"+listener.Addr().String())
	config.Logger = logger
	site, siteErr := web.New(config)
	if err := errors.Join(append(problems, siteErr)...); err != nil {
		return errors.Join(err, listener.Close())
	}
	server := newHTTPServer(site, logger)
	go func() { failed <- server.Serve(listener) }()
	announce(stdout, config.PublicURL, identityURL)
	select {
	case <-ctx.Done():
		logger.Info("stopping")
	case err = <-failed:
	}
	return errors.Join(err, stop(server, site))
}

// stop lets requests finish, and then the renewals that they have begun.
func stop(server *http.Server, site *web.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), stopWait)
	defer cancel()
	err := server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(fmt.Errorf("requests did not finish in %v: %w", stopWait, err), server.Close())
	}
	return errors.Join(err, site.Close(ctx))
}

// newHTTPServer bounds how long a connection may take for what it does.
func newHTTPServer(h http.Handler, logger *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      2 * time.Minute, // more than the exchanges of a slow sign-in
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
}

// provider is the embedded IdentityServer, running.
type provider struct {
	server *http.Server
	url    string
}

func startEmbedded(logger *slog.Logger, failed chan<- error) (*provider, error) {
	handler, err := identitytest.New(identitytest.Config{})
	if err != nil {
		return nil, fmt.Errorf("the embedded IdentityServer: %w", err)
	}
	listener, err := handler.Listen("127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("the embedded IdentityServer: %w", err)
	}
	p := &provider{server: newHTTPServer(handler, logger), url: handler.URL()}
	go func() {
		if err := p.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			failed <- fmt.Errorf("the embedded IdentityServer: %w", err)
		}
	}()
	return p, nil
}

// announce prints the one URL to open first, for people and for scripts.
func announce(stdout io.Writer, site, identityURL string) {
	lines := []string{site}
	if identityURL != "" {
		lines = append(lines,
			"Open it in a browser: the sign-in page lists the sample users.",
			"Embedded IdentityServer, for the npm client too: "+identityURL)
	}
	lines = append(lines, "Stop with Ctrl-C.")
	_, _ = fmt.Fprintln(stdout, strings.Join(lines, "\n")) // nobody needs it but people
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
