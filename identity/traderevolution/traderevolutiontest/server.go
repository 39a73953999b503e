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

// APIPath is the path of the API's resource, below the BaseURL. A GET without a
// live access token as its bearer gets 401.
const APIPath = "/accounts"

// Server is a back office. It is an http.Handler, safe for concurrent use, and
// answers on loopback connections only.
type Server struct {
	*apitest.Server
	config  Config
	access  *apitest.Tokens
	refresh *apitest.Tokens
	oneTime *apitest.Tokens
}

// New returns a server. Its error joins every problem of the Config, each a
// *tokenapi.FieldError.
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

// Start runs a server on a free port of 127.0.0.1 until the test ends. A problem
// of the Config ends the test.
func Start(tb testing.TB, cfg Config) *Server {
	tb.Helper()
	s, err := New(cfg)
	return apitest.Serve(tb, s, err)
}

// BaseURL returns the URL for a client's Config, with the prefix, such as
// http://127.0.0.1:40123/proftrading/rest. It is empty before Listen.
func (s *Server) BaseURL() string {
	if s.URL() == "" {
		return ""
	}
	return s.URL() + s.config.Prefix
}

// IssueOTT returns a one-time token of the user with that login, which need not
// be the login of an account that can sign in.
func (s *Server) IssueOTT(login string) string { return issue(s.oneTime, login) }

// ExpireTokens ends every access token.
func (s *Server) ExpireTokens() { s.access.Clear() }

// RevokeRefreshTokens ends every refresh token. Access tokens live on.
func (s *Server) RevokeRefreshTokens() { s.refresh.Clear() }

func refuseToken(x *apitest.Exchange) {
	refuse(x, http.StatusUnauthorized, "", "The access token is not valid")
}

// answerAccounts answers with the API's resource.
func answerAccounts(x *apitest.Exchange, login string) {
	x.JSON(http.StatusOK, mediaType, []apitest.Object{{{"accountId", 1}, {"login", login}}})
}

const mediaType = "application/json"

// refuse answers with an error, without a code if code is empty.
func refuse(x *apitest.Exchange, status int, code, message string) {
	x.Note(message)
	var answer apitest.Object
	if code != "" {
		answer.Add("errorCode", code)
	}
	answer.Add("message", message)
	x.JSON(status, mediaType, answer)
}
