package b2coretest

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/apitest"
)

// The endpoints, for Inject, Requests and Count.
const (
	// EndpointAuth is POST /api/v2/my/platforms/{platformId}/auth.
	EndpointAuth apitest.Endpoint = "auth"
	// EndpointRefresh is POST /api/v2/my/platforms/{platformId}/refresh.
	EndpointRefresh apitest.Endpoint = "refresh"
	// EndpointWizard is /api/v2/my/signin/wizard.
	EndpointWizard apitest.Endpoint = "wizard"
	// EndpointSignIn is POST /api/v2/my/signin.
	EndpointSignIn apitest.Endpoint = "sign-in"
	// EndpointChoose is POST /api/v2/my/signin/2fa.
	EndpointChoose apitest.Endpoint = "choose second factor"
	// EndpointCode is POST /api/v2/my/2fa/{provider}.
	EndpointCode apitest.Endpoint = "code"
	// EndpointSessionRefresh is POST /api/v2/my/refresh.
	EndpointSessionRefresh apitest.Endpoint = "session refresh"
	// EndpointSignOut is POST /api/v2/my/signout.
	EndpointSignOut apitest.Endpoint = "sign-out"
	// EndpointPlatforms is GET /api/v2/my/platforms.
	EndpointPlatforms apitest.Endpoint = "platforms"
	// EndpointUnknown is every other path below /api/v2/my/platforms/.
	EndpointUnknown apitest.Endpoint = "unknown platform"
	// EndpointAPI is GET APIPath.
	EndpointAPI apitest.Endpoint = "api"
)

// APIPath is the path of the API's resource, below the URL. A GET without a live
// access token as its bearer gets 401.
const APIPath = "/frontoffice/api/v3/account"

const (
	myPath        = "/api/v2/my/"
	platformsPath = myPath + "platforms/"
)

// Server is a B2Core with a B2Trader's API beside it. It is an http.Handler,
// safe for concurrent use, and answers on loopback connections only.
type Server struct {
	*apitest.Server
	config Config

	access  *apitest.Tokens // B2Trader's
	refresh *apitest.Tokens // owned by a platform
	bearers *apitest.Tokens // of B2Core sessions: owned by a sign-in, or by "" for Bearer's
	renewed *apitest.Tokens // refresh tokens of B2Core sessions, owned by a sign-in

	mu           sync.Mutex
	bearer       oauth2.Token // Bearer's newest
	ended        bool         // EndSession was called
	signIns      map[string]*signIn
	attempts     []time.Time // sign-ins of the last minute
	blockedUntil time.Time
}

// New returns a server. Its error joins every problem of the Config, each a
// *tokenapi.FieldError.
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
		renewed: apitest.NewTokens(cfg.Now, cfg.SessionRefreshTokenLifetime),
		signIns: map[string]*signIn{},
	}
	s.handleSignIn()
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

// Start runs a server on a free port of 127.0.0.1 until the test ends. A problem
// of the Config ends the test.
func Start(tb testing.TB, cfg Config) *Server {
	tb.Helper()
	s, err := New(cfg)
	return apitest.Serve(tb, s, err)
}

// ExpireTokens ends every access token of B2Trader.
func (s *Server) ExpireTokens() { s.access.Clear() }

// RevokeRefreshTokens revokes every refresh token of B2Trader. Access tokens live
// on until they expire.
func (s *Server) RevokeRefreshTokens() { s.refresh.Clear() }

// RevokeSessionRefreshTokens revokes every refresh token of B2Core sessions.
// Their access tokens live on until they expire.
func (s *Server) RevokeSessionRefreshTokens() { s.renewed.Clear() }
