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
	"b2trader.identity.auth/identity/vault"
	"b2trader.identity.auth/web/internal/answer"
	"b2trader.identity.auth/web/internal/gateway"
	"b2trader.identity.auth/web/internal/request"
	"b2trader.identity.auth/web/internal/session"
)

// sweepEvery is how often sessions whose time is over are cleared away.
const sweepEvery = time.Minute

// Server is the site: pages, sessions and the vault of tokens behind them. It
// is an http.Handler for the root of the site.
type Server struct {
	config  Config
	handler http.Handler
	logger  *slog.Logger // adds the request's attributes
	events  *eventLog
	answers *answer.Answers

	records  *records.Cache
	sessions *session.Manager
	index    *session.Index
	attempts *attempts
	vault    *vault.Vault
	clients  map[string]*identity.Client // by the name that the vault knows them by
	gateway  *gateway.Gateway
	ready    *readiness
	metrics  *metrics

	perAddress, perAccount, perLogout *limiter

	stop    context.CancelFunc // ends the sweeper
	work    context.Context    //nolint:containedctx // of what goes on behind requests
	cut     context.CancelFunc // ends that
	stopped sync.WaitGroup     // both
}

// New returns a Server, or every problem of the Config at once. Call Close
// when it is no longer needed.
func New(config Config) (*Server, error) {
	config = config.withDefaults()
	if err := config.validate(); err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	metrics := newMetrics()
	config.Store = observedStore{config.Store, metrics}
	var err error
	s := &Server{
		config:     config,
		logger:     slog.New(request.NewLogHandler(config.Logger.Handler())),
		metrics:    metrics,
		attempts:   &attempts{now: config.Now},
		clients:    make(map[string]*identity.Client),
		perAddress: newLimiter(config.Now, config.AttemptsPerAddress),
		perAccount: newLimiter(config.Now, config.AttemptsPerAccount),
		perLogout:  newLimiter(config.Now, refusedLogoutsPerMinute),
	}
	s.events = &eventLog{s.logger, metrics}
	s.answers, err = answer.New(answer.Config{
		Logger: s.logger, Frame: s.frame, Translate: translate,
		EndSession: func(ctx context.Context) error { return s.sessions.End(ctx) },
	})
	if err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	for _, c := range config.Clients {
		s.clients[c.ID()] = c
	}
	s.ready = newReadiness(s)
	s.records, err = records.Open(records.Config{Store: config.Store, Keys: config.Keys, Logger: config.Logger})
	if err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	if s.vault, err = s.newVault(); err != nil {
		s.records.Close()
		return nil, err
	}
	if err := metrics.register(config.Registerer, s.vault); err != nil {
		s.records.Close()
		return nil, errors.Join(err, s.vault.Close(context.Background()))
	}
	s.sessions = session.New(session.Config{
		Records: s.records, Secure: config.secure(), Idle: config.IdleTimeout, Latest: config.AbsoluteTimeout,
		Logger: s.logger, Now: config.Now,
	})
	s.index = session.NewIndex(s.records, config.Keys)
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.work, s.cut = context.WithCancel(context.Background())
	s.gateway = s.newGateway()
	if s.handler, err = s.routes(); err != nil {
		return nil, errors.Join(err, s.Close(context.Background()))
	}
	s.stopped.Go(func() { s.sweep(ctx) })
	return s, nil
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.handler.ServeHTTP(w, r)
}

// Close stops the work in the background and waits for the sign-outs and
// renewals under way, so that no refresh token is lost half used. Call it after
// the HTTP server has drained. When ctx ends, it cuts them short.
func (s *Server) Close(ctx context.Context) error {
	s.stop()
	s.EndStreams()
	s.metrics.unregister(s.config.Registerer)
	swept := make(chan struct{})
	go func() { s.stopped.Wait(); close(swept) }()
	select {
	case <-swept:
	case <-ctx.Done():
	}
	s.cut()
	<-swept
	defer s.records.Close()
	if err := s.vault.Close(ctx); err != nil {
		return fmt.Errorf("web: close the vault: %w", err)
	}
	return ctx.Err()
}

// EndStreams ends all event streams and websockets, and those that open later.
// Pass it to http.Server.RegisterOnShutdown, because Shutdown waits for streams.
// Close ends them, too.
func (s *Server) EndStreams() { s.gateway.EndStreams() }

func (s *Server) newVault() (*vault.Vault, error) {
	refreshers := make(map[string]vault.Refresher, len(s.clients))
	for name, c := range s.clients {
		refreshers[name] = c
	}
	v, err := vault.New(vault.Config{
		Records:    s.records,
		Logger:     s.config.Logger,
		Refreshers: refreshers,
		Revoke:     s.revokeDiscarded,
		OnRenewal:  s.logRenewal,
		OnWait:     s.metrics.renewalWait,
		Now:        s.config.Now,
	})
	if err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	return v, nil
}

// revokeDiscarded signs out a token that arrived after its session had ended.
func (s *Server) revokeDiscarded(ctx context.Context, e vault.Entry) {
	client := s.clients[e.Client]
	if client == nil {
		return
	}
	if err := client.SignOut(ctx, e.Token.AccessToken, e.Token.RefreshToken, stateOf(e)...); err != nil {
		s.events.record(ctx, eventRemoteSignOutFailed, "client", e.Client, "user", e.Owner, "error", err)
		return
	}
	s.events.record(ctx, eventTokensRevoked, "client", e.Client, "user", e.Owner)
}

func (s *Server) logRenewal(r vault.Renewal) {
	s.metrics.renewal(r)
	level := slog.LevelDebug
	switch {
	case errors.Is(r.Err, identity.ErrMisconfigured):
		level = slog.LevelError
	case r.Err != nil:
		level = slog.LevelWarn
	}
	s.events.recordAt(context.Background(), level, eventTokenRenewal, "result", string(r.Result), "client", r.Client, "user", r.Owner,
		"took", r.Duration, "error", r.Err)
}

// sweep ends sessions whose time is over, and revokes what they held.
func (s *Server) sweep(ctx context.Context) {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		var held []holding
		for _, u := range s.sessions.Sweep(ctx) {
			s.events.record(ctx, eventSessionTimedOut, "client", u.Client, "user", u.Owner)
			held = append(held, holdingOf(u))
		}
		s.endTokens(ctx, endOne, held...)
	}
}
