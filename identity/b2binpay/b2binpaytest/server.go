package b2binpaytest

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"b2trader.identity.auth/identity/apitest"
)

// The endpoints, for Inject, Requests and Count.
const (
	// EndpointToken is POST /token/, the sign-in.
	EndpointToken apitest.Endpoint = "token"
	// EndpointRefresh is POST /token/refresh/, of version 2.
	EndpointRefresh apitest.Endpoint = "refresh"
	// EndpointAPI is GET APIPath.
	EndpointAPI apitest.Endpoint = "api"
	// EndpointRedirect is each of these paths without its trailing slash.
	EndpointRedirect apitest.Endpoint = "redirect"
)

// APIPath is the path of the API's resource, below the URL. A GET without a live
// access token as its bearer gets 401.
const APIPath = "/balance/"

// mediaType is the media type of JSON:API.
const mediaType = "application/vnd.api+json"

// Server is B2BINPAY's token API. It is an http.Handler, safe for concurrent
// use, and answers on loopback connections only.
type Server struct {
	*apitest.Server
	config  Config
	access  *apitest.Tokens
	refresh *apitest.Tokens

	mu       sync.Mutex
	uses     map[string]int // by access token, if Config.MaxUses bounds them
	deposits int            // number of callbacks made
}

// New returns a server. Its error joins every problem of the Config, each a
// *tokenapi.FieldError.
func New(cfg Config) (*Server, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	s := &Server{
		Server: apitest.New(apitest.Config{Name: "b2binpaytest", Now: cfg.Now}),
		config: cfg,
		uses:   map[string]int{},
	}
	s.access = apitest.NewTokens(s.now, cfg.AccessTokenLifetime)
	s.refresh = apitest.NewTokens(s.now, cfg.RefreshTokenLifetime)
	if cfg.Version == 3 {
		s.handle("/token/", EndpointToken, s.signInV3)
	} else {
		s.handle("/token/", EndpointToken, s.signIn)
		s.handle("/token/refresh/", EndpointRefresh, s.renew)
	}
	s.handle(APIPath, EndpointAPI, s.access.Guard(http.MethodGet, s.refuseToken, s.balance))
	return s, nil
}

// Start runs a server on a free port of 127.0.0.1 until the test ends. A problem
// of the Config ends the test.
func Start(tb testing.TB, cfg Config) *Server {
	tb.Helper()
	s, err := New(cfg)
	return apitest.Serve(tb, s, err)
}

// handle answers path, which ends in a slash, with h, and the path without that
// slash with a redirect.
func (s *Server) handle(path string, endpoint apitest.Endpoint, h apitest.Handler) {
	s.Handle(path, endpoint, func(x *apitest.Exchange) {
		s.date(x)
		h(x)
	})
	s.Handle(strings.TrimSuffix(path, "/"), EndpointRedirect, func(x *apitest.Exchange) {
		s.date(x)
		x.Answer().Header().Set("Location", path)
		x.Status(http.StatusMovedPermanently)
	})
}

// date sets the Date header by the server's own clock. A nil value keeps
// net/http from adding one.
func (s *Server) date(x *apitest.Exchange) {
	if s.config.OmitDate {
		x.Answer().Header()["Date"] = nil
		return
	}
	x.Answer().Header().Set("Date", s.now().UTC().Format(http.TimeFormat))
}

// now returns the time by the server's own clock.
func (s *Server) now() time.Time { return s.config.Now().Add(s.config.ClockOffset) }

// ExpireTokens ends every access token. Refresh tokens live on.
func (s *Server) ExpireTokens() { s.access.Clear() }

// RevokeRefreshTokens ends every refresh token. Access tokens live on.
func (s *Server) RevokeRefreshTokens() { s.refresh.Clear() }
