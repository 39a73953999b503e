package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/store/records"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/vault"
	"b2trader.identity.auth/web/internal/answer"
	"b2trader.identity.auth/web/internal/request"
	"b2trader.identity.auth/web/internal/session"
)

// sweepEvery is the interval of the sweep.
const sweepEvery = time.Minute

// Server is the site: its pages, its sessions and the vault of their tokens. It
// is an http.Handler for the root of the site.
type Server struct {
	*site
	handler http.Handler
	records *records.Cache // one for the vault and the sessions
	metrics *Metrics
	ender   *sessionEnder

	signIns     signInPages
	account     accountPages
	ownSessions sessionPages
	users       usersPages
	backChannel *backChannel
	ready       readiness

	stopWork context.CancelFunc // of the sweep and the kept logouts
	work     sync.WaitGroup
}

// New returns a Server. Call Close when it is no longer needed.
//
// Errors: every problem of the Config, joined, each a *tokenapi.FieldError.
func New(config Config) (*Server, error) {
	config = config.withDefaults()
	if err := config.validate(); err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	metrics := config.Metrics
	if config.Records == nil {
		config.Store = metrics.Store(config.Store)
	}
	logger := slog.New(request.NewLogHandler(config.Logger.Handler()))
	s := &Server{
		site:    &site{config: config, logger: logger, events: &eventLog{logger, metrics}, clients: make(map[string]*identity.Client)},
		metrics: metrics,
	}
	if err := s.dress(); err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	for _, c := range config.Clients {
		s.clients[c.ID()] = c
	}
	if err := s.open(); err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	return s, nil
}

// open connects the rooms of the site to each other, and begins the work in the
// background.
func (s *Server) open() (err error) {
	s.ender = newSessionEnder(s.site)
	s.answers, err = answer.New(answer.Config{
		Logger: s.logger, Blank: s.blank, Frame: s.frame, Translate: translate,
		EndSession: func(ctx context.Context) error { _, err := s.sessions.End(ctx); return err },
	})
	if err != nil {
		return err
	}
	c := s.config
	if s.records = c.Records; s.records == nil {
		s.records, err = records.Open(records.Config{Store: c.Store, Keys: c.Keys, Logger: c.Logger, Now: c.clock})
		if err != nil {
			return err
		}
	}
	s.sessions = session.New(session.Config{
		Records: s.records, Secure: c.secure(), Idle: c.IdleTimeout, Latest: c.AbsoluteTimeout, Logger: s.logger,
	})
	s.accounts = newAccountNames(c.Keys)
	s.index = session.NewIndex(s.records, c.Keys)
	if err := s.openVault(); err != nil {
		s.closeRecords()
		return err
	}
	s.administrators = newAdministrators(c.AdministratorRole, s.vault)
	s.signIns = signInPages{
		site: s.site, ender: s.ender, limit: newSignInLimit(s.site), pending: newPendingSignIns(s.records, s.clients),
		emailCookie: lastingCookie{"b2trader-email", rememberedEmailLife, s.config.secure()},
	}
	s.account = accountPages{s.site}
	s.ownSessions = sessionPages{s.site, s.ender}
	s.users = usersPages{s.site, s.ender}
	s.backChannel = newBackChannel(s.site, s.ender)
	s.ready.site, s.ready.clockOffset = s.site, s.records.ClockOffset
	s.gateway = s.newGateway()

	var ctx context.Context
	ctx, s.stopWork = context.WithCancel(context.Background())
	s.work.Go(func() { s.sweep(ctx) })
	s.work.Go(func() { s.backChannel.kept.run(ctx) })
	if s.handler, err = s.routes(); err == nil {
		s.metrics.AddVault(s.vault)
		err = s.metrics.register(c.Registerer, s.records)
	}
	if err != nil {
		return errors.Join(err, s.Close(context.Background()))
	}
	return nil
}

// Format prints the site's URL, for every verb.
func (s *Server) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "web.Server(%s)", s.config.PublicURL)
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.handler.ServeHTTP(w, r)
}

// Close stops the work in the background and waits for the sign-outs and
// renewals under way, so that no refresh token is lost. Call it after the HTTP
// server has drained. When ctx ends, Close cuts the work short: give it more than
// tokenapi.RefreshTimeout, because a session is lost if its renewal is cut after
// the request, or before the new token is stored, and it cannot be resumed.
func (s *Server) Close(ctx context.Context) error {
	s.stopWork()
	s.EndStreams()
	s.metrics.unregister()
	done := make(chan struct{})
	go func() { s.work.Wait(); s.ender.running.Wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
	}
	s.ender.cut()
	<-done
	defer s.closeRecords()
	if err := s.vault.Close(ctx); err != nil {
		return fmt.Errorf("web: close the vault: %w", err)
	}
	return ctx.Err()
}

// closeRecords closes the cache of the store, unless it is the host
// application's.
func (s *Server) closeRecords() {
	if s.config.Records == nil {
		s.records.Close()
	}
}

// EndStreams ends all event streams and websockets, and those that open later.
// Pass it to http.Server.RegisterOnShutdown, because Shutdown waits for streams.
// Close ends them, too.
func (s *Server) EndStreams() { s.gateway.EndStreams() }

func (s *Server) openVault() (err error) {
	var traced func(renewal, caller context.Context) context.Context
	refreshers := make(map[string]vault.Refresher, len(s.clients))
	for name, c := range s.clients {
		refreshers[name] = c
		if p := s.config.TracerProvider; p != nil {
			refreshers[name], traced = tracedClient{c, p.Tracer(tracerName)}, withStarter
		}
	}
	s.vault, err = vault.New(vault.Config{
		RenewalContext: traced,

		Records:    s.records,
		Logger:     s.config.Logger,
		Refreshers: refreshers,
		Revoke:     s.ender.revokeDiscarded,
		OnRenewal:  s.logRenewal,
		OnWait:     s.metrics.Waited,
		Now:        s.config.clock,
	})
	return err
}

func (s *Server) logRenewal(r vault.Renewal) {
	s.metrics.Renewed(r)
	level := slog.LevelDebug
	switch {
	case errors.Is(r.Err, tokenapi.ErrMisconfigured):
		level = slog.LevelError
	case r.Err != nil:
		level = slog.LevelWarn
	}
	s.events.recordAt(context.Background(), level, eventTokenRenewal, "result", string(r.Result), "client", r.Client, "user", r.Owner,
		"took", r.Duration, "error", r.Err)
}

// sweep ends the sessions that have reached their end, and revokes their tokens.
func (s *Server) sweep(ctx context.Context) {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		s.ender.timeOut(ctx, s.sessions.Sweep(ctx))
	}
}
