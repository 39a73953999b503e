package b2coretest

import (
	"net/http"
	"sync"
	"testing"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/apitest"
)

// The endpoints, for Inject, Requests and Count.
const (
	// EndpointAuth is POST /api/v2/my/platforms/{platformId}/auth.
	EndpointAuth apitest.Endpoint = "auth"
	// EndpointRefresh is POST /api/v2/my/platforms/{platformId}/refresh.
	EndpointRefresh apitest.Endpoint = "refresh"
	// EndpointUnknown is whatever else lies below /api/v2/my/platforms/.
	EndpointUnknown apitest.Endpoint = "unknown platform"
	// EndpointAPI is GET APIPath.
	EndpointAPI apitest.Endpoint = "API"
)

// APIPath is where the API's resource is, below the URL: a GET with a live access token as
// bearer gets an answer, and any other 401.
const APIPath = "/frontoffice/api/v3/account"

// platformsPath is where the platforms live.
const platformsPath = "/api/v2/my/platforms/"

// Server is a B2Core with a B2Trader's API beside it. It is an http.Handler, safe for
// concurrent use, and answers on loopback connections only.
type Server struct {
	*apitest.Server
	config Config

	access  *apitest.Tokens // B2Trader's
	refresh *apitest.Tokens // each its platform's
	bearers *apitest.Tokens // of the B2Core session

	mu     sync.Mutex
	bearer oauth2.Token // given last
	ended  bool         // the B2Core session
}

// New returns a server for the installation that cfg describes. The error joins every
// problem of cfg.
func New(cfg Config) (*Server, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	s := &Server{
		Server:  apitest.New(apitest.Config{Name: "b2coretest", Now: cfg.Now}),
		config:  cfg,
		access:  apitest.NewTokens(cfg.Now, cfg.AccessTokenLifetime),
		refresh: apitest.NewTokens(cfg.Now, cfg.RefreshTokenLifetime),
		bearers: apitest.NewTokens(cfg.Now, cfg.BearerLifetime),
	}
	for _, platform := range cfg.Platforms {
		s.Handle(platformsPath+platform+"/auth", EndpointAuth, s.guarded(func(x *apitest.Exchange) { s.issue(x, platform) }))
		s.Handle(platformsPath+platform+"/refresh", EndpointRefresh, s.guarded(func(x *apitest.Exchange) { s.renew(x, platform) }))
	}
	s.Handle(platformsPath+"*", EndpointUnknown, s.guarded(func(x *apitest.Exchange) {
		refuse(x, http.StatusNotFound, "The platform was not found")
	}))
	s.Handle(APIPath, EndpointAPI, s.access.Guard(http.MethodGet, refuseToken, account))
	return s, nil
}

// Start runs a server for the duration of a test, on a free port of 127.0.0.1. A bad cfg
// fails the test. The server is closed, connections cut, when the test ends.
func Start(tb testing.TB, cfg Config) *Server {
	tb.Helper()
	s, err := New(cfg)
	return apitest.Serve(tb, s, err)
}

// ExpireTokens ends the life of every access token of B2Trader that there is.
func (s *Server) ExpireTokens() { s.access.Clear() }

// RevokeRefreshTokens revokes every refresh token that there is. Access tokens live on until
// they expire.
func (s *Server) RevokeRefreshTokens() { s.refresh.Clear() }
