package b2binpaytest

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"b2trader.identity.auth/identity/apitest"
)

// The server's endpoints, for faults and for the record.
const (
	// EndpointToken is POST /token/, the sign-in.
	EndpointToken apitest.Endpoint = "token"
	// EndpointRefresh is POST /token/refresh/.
	EndpointRefresh apitest.Endpoint = "refresh"
	// EndpointAPI is GET APIPath.
	EndpointAPI apitest.Endpoint = "api"
	// EndpointRedirect is any of these paths without its trailing slash.
	EndpointRedirect apitest.Endpoint = "redirect"
)

// APIPath is where the API's resource is, below the URL: a GET with a live access token as
// bearer gets an answer, and any other 401.
const APIPath = "/balance/"

// mediaType is that of JSON:API.
const mediaType = "application/vnd.api+json"

// Server is B2BINPAY's token API. It is an http.Handler, safe for concurrent use, and
// answers on loopback connections only.
type Server struct {
	*apitest.Server
	config  Config
	access  *apitest.Tokens
	refresh *apitest.Tokens

	mu       sync.Mutex
	uses     map[string]int // of access tokens, if Config.MaxUses bounds them
	deposits int            // that callbacks were made for
}

// New returns a server. Its error joins every problem of the Config.
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
	s.handle("/token/", EndpointToken, s.signIn)
	s.handle("/token/refresh/", EndpointRefresh, s.renew)
	s.handle(APIPath, EndpointAPI, s.access.Guard(http.MethodGet, s.refuseToken, s.balance))
	return s, nil
}

// Start returns a server that listens on a free loopback port until the test ends. A
// problem of the Config ends the test.
func Start(tb testing.TB, cfg Config) *Server {
	tb.Helper()
	s, err := New(cfg)
	return apitest.Serve(tb, s, err)
}

// handle answers path, which ends in a slash, with h, and the path without it with a
// redirect.
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

// date sets the Date header by the server's own clock. A nil value keeps net/http from
// adding one.
func (s *Server) date(x *apitest.Exchange) {
	if s.config.OmitDate {
		x.Answer().Header()["Date"] = nil
		return
	}
	x.Answer().Header().Set("Date", s.now().UTC().Format(http.TimeFormat))
}

// now is the time by the server's own clock.
func (s *Server) now() time.Time { return s.config.Now().Add(s.config.ClockOffset) }

// ExpireTokens ends the life of all access tokens. Refresh tokens stay.
func (s *Server) ExpireTokens() { s.access.Clear() }

// RevokeRefreshTokens makes all refresh tokens invalid before they expire. Access tokens
// stay.
func (s *Server) RevokeRefreshTokens() { s.refresh.Clear() }
