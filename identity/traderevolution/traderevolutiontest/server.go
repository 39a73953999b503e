package traderevolutiontest

import (
	"net/http"
	"testing"

	"b2trader.identity.auth/identity/apitest"
)

// The endpoints, for Inject, Requests and Count.
const (
	EndpointToken   apitest.Endpoint = "token"   // POST /auth/token
	EndpointRefresh apitest.Endpoint = "refresh" // GET /auth/token/refresh
	EndpointVerify  apitest.Endpoint = "verify"  // POST /external/token/verify
	EndpointAPI     apitest.Endpoint = "api"     // GET APIPath, this server's own
)

// APIPath is where the API's resource is, below the BaseURL: a GET with a live access token as bearer gets an answer, and
// any other 401.
const APIPath = "/accounts"

// Server is a back office. It is an http.Handler, safe for concurrent use, and answers on loopback connections only.
type Server struct {
	*apitest.Server
	config  Config
	access  *apitest.Tokens
	refresh *apitest.Tokens
	oneTime *apitest.Tokens
}

// New returns a server for the installation that cfg describes. The error joins every problem of cfg.
func New(cfg Config) (*Server, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	s := &Server{
		Server:  apitest.New(apitest.Config{Name: "traderevolutiontest", Now: cfg.Now}),
		config:  cfg,
		access:  apitest.NewTokens(cfg.Now, cfg.AccessTokenLifetime),
		refresh: apitest.NewTokens(cfg.Now, cfg.RefreshTokenLifetime),
		oneTime: apitest.NewTokens(cfg.Now, cfg.OTTLifetime),
	}
	s.Handle(cfg.Prefix+"/auth/token", EndpointToken, s.answerToken)
	s.Handle(cfg.Prefix+"/auth/token/refresh", EndpointRefresh, s.answerRefresh)
	s.Handle(cfg.Prefix+"/external/token/verify", EndpointVerify, s.answerVerify)
	s.Handle(cfg.Prefix+APIPath, EndpointAPI, s.access.Guard(http.MethodGet, refuseToken, answerAccounts))
	return s, nil
}

// Start runs a server for the duration of a test.
func Start(tb testing.TB, cfg Config) *Server {
	tb.Helper()
	s, err := New(cfg)
	return apitest.Serve(tb, s, err)
}

// BaseURL is what a client is given: URL and the prefix, such as http://127.0.0.1:40123/proftrading/rest. It is empty
// before Listen.
func (s *Server) BaseURL() string {
	if s.URL() == "" {
		return ""
	}
	return s.URL() + s.config.Prefix
}

// IssueOTT returns a one-time token of the user with that login, who need not be able to sign in.
func (s *Server) IssueOTT(login string) string { return issue(s.oneTime, login) }

// ExpireTokens ends all access tokens now.
func (s *Server) ExpireTokens() { s.access.Clear() }

// RevokeRefreshTokens ends all refresh tokens now. Access tokens are untouched.
func (s *Server) RevokeRefreshTokens() { s.refresh.Clear() }

func refuseToken(x *apitest.Exchange) {
	refuse(x, http.StatusUnauthorized, "", "The access token is not valid")
}

// answerAccounts is the API that the tokens are for.
func answerAccounts(x *apitest.Exchange, login string) {
	x.JSON(http.StatusOK, mediaType, []apitest.Object{{{"accountId", 1}, {"login", login}}})
}

const mediaType = "application/json"

// refuse answers with an error, with a code where one is known.
func refuse(x *apitest.Exchange, status int, code, message string) {
	x.Note(message)
	var answer apitest.Object
	if code != "" {
		answer.Add("errorCode", code)
	}
	answer.Add("message", message)
	x.JSON(status, mediaType, answer)
}
