package tradevesttest

import (
	"net/http"
	"sync"
	"testing"

	"b2trader.identity.auth/identity/apitest"
)

// The endpoints of a [Server], for faults and for the record.
const (
	EndpointToken apitest.Endpoint = "token"
	EndpointAPI   apitest.Endpoint = "api"
)

// APIPath is where the API's resource is, below the URL: a GET with a live access token as bearer and a Requestor-ID gets an
// answer, and one without a token 401.
const APIPath = "/v1/customers"

// Server is Tradevest's token endpoint with an API beside it. It is an http.Handler, safe for concurrent use, and answers on
// loopback connections only.
type Server struct {
	*apitest.Server
	config Config
	tokens *apitest.Tokens

	mu     sync.Mutex
	secret string
}

// New returns a server for the installation that cfg describes. The error joins every problem of cfg.
func New(cfg Config) (*Server, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	s := &Server{
		Server: apitest.New(apitest.Config{Name: "tradevesttest", Now: cfg.Now}),
		config: cfg,
		secret: cfg.ClientSecret,
		tokens: apitest.NewTokens(cfg.Now, cfg.AccessTokenLifetime),
	}
	s.Handle(cfg.TokenPath, EndpointToken, s.token)
	s.Handle(APIPath, EndpointAPI, s.tokens.Guard(http.MethodGet, refuseToken, customers))
	return s, nil
}

// Start runs a server for the duration of a test, on a free port of 127.0.0.1. A bad cfg fails the test.
func Start(tb testing.TB, cfg Config) *Server {
	tb.Helper()
	s, err := New(cfg)
	return apitest.Serve(tb, s, err)
}

// ExpireTokens ends every access token now.
func (s *Server) ExpireTokens() { s.tokens.Clear() }

// SetClientSecret changes the partner's secret, as its rotation does. The old one is refused from now on; access tokens
// live on.
func (s *Server) SetClientSecret(secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secret = secret
}
