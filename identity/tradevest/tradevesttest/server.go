package tradevesttest

import (
	"net/http"
	"sync"
	"testing"

	"b2trader.identity.auth/identity/apitest"
)

// The endpoints, for Inject, Requests and Count.
const (
	EndpointToken apitest.Endpoint = "token" // POST /oauth2/token, or Config.TokenPath
	EndpointAPI   apitest.Endpoint = "api"   // GET APIPath, this server's own
)

// APIPath is the path of the API's resource, below the URL. A GET without a live
// access token as its bearer gets 401, one without a Requestor-ID 400.
const APIPath = "/v1/customers"

// Server is Tradevest's token endpoint with an API beside it. It is an
// http.Handler, safe for concurrent use, and answers on loopback connections
// only.
type Server struct {
	*apitest.Server
	config Config
	tokens *apitest.Tokens

	mu     sync.Mutex
	secret string
}

// New returns a server. Its error joins every problem of the Config, each a
// *tokenapi.FieldError.
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

// Start runs a server on a free port of 127.0.0.1 until the test ends. A problem
// of the Config ends the test.
func Start(tb testing.TB, cfg Config) *Server {
	tb.Helper()
	s, err := New(cfg)
	return apitest.Serve(tb, s, err)
}

// ExpireTokens ends every access token.
func (s *Server) ExpireTokens() { s.tokens.Clear() }

// SetClientSecret replaces the partner's secret. The server refuses the old one
// from now on; access tokens live on.
func (s *Server) SetClientSecret(secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secret = secret
}
