package b2coretest

import (
	"net/http"
	"strconv"
	"time"

	"b2trader.identity.auth/identity/apitest"
)

// contentType is that of every answer.
const contentType = "application/json"

// guarded lets those pass who show a bearer of the B2Core session.
func (s *Server) guarded(h apitest.Handler) apitest.Handler {
	return s.bearers.Guard(http.MethodPost, unauthenticated, func(x *apitest.Exchange, _ string) { h(x) })
}

// renew answers …/refresh. The page's sample has no Content-Type of JSON, so that any will do.
func (s *Server) renew(x *apitest.Exchange, platform string) {
	var in struct {
		RefreshToken string `json:"refreshToken"`
	}
	switch {
	case !x.Decode(&in) || in.RefreshToken == "":
		x.Note("there is no refreshToken in the body")
		refuse(x, http.StatusBadRequest, "The refreshToken field is required")
	case !s.use(in.RefreshToken, platform):
		x.Note("the refresh token is unknown, used, expired, or another platform's")
		refuse(x, s.config.RefreshFailureStatus, "The refresh token is invalid")
	default:
		s.issue(x, platform)
	}
}

// use reports whether a refresh token is good for that platform, and sees to it that it is
// not the next time.
func (s *Server) use(refreshToken, platform string) bool {
	if owner, ok := s.refresh.Owner(refreshToken); !ok || owner != platform {
		return false
	}
	_, ok := s.refresh.Use(refreshToken, s.config.ReuseRefreshTokens)
	return ok
}

// issue answers …/auth, and a good …/refresh, with a new pair of tokens.
func (s *Server) issue(x *apitest.Exchange, platform string) {
	now := s.config.Now()
	// In the sample, exp is far beyond the ttl, of the access token too.
	claimed := now.Add(s.config.RefreshTokenLifetime)
	access, refresh := sampleJWT(now, claimed), sampleJWT(now, claimed)
	s.access.Add(access, platform)
	s.refresh.Add(refresh, platform)
	x.JSON(http.StatusOK, contentType, apitest.Object{
		{"token", access},
		{"refreshToken", refresh},
		{"ttl", s.ttl()},
		{"host", s.host(x)},
		{"header", "Authorization"},
	})
}

func (s *Server) ttl() any {
	seconds := int(s.config.AccessTokenLifetime / time.Second)
	if s.config.NumericTTL {
		return seconds
	}
	return strconv.Itoa(seconds)
}

func (s *Server) host(x *apitest.Exchange) string {
	switch {
	case s.config.Host != "":
		return s.config.Host
	case x.TLS != nil:
		return "https://" + x.Host
	}
	return "http://" + x.Host
}

// refuse answers as B2Core's TypeScript client reads errors.
func refuse(x *apitest.Exchange, status int, message string) {
	x.JSON(status, contentType, apitest.Object{{"error", apitest.Object{{"message", message}}}})
}

// unauthenticated refuses a bearer.
func unauthenticated(x *apitest.Exchange) { refuse(x, http.StatusUnauthorized, "Unauthenticated") }

// refuseToken is unauthenticated for the API.
func refuseToken(x *apitest.Exchange) {
	x.Answer().Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
	unauthenticated(x)
}

// account answers the API's resource.
func account(x *apitest.Exchange, _ string) {
	x.JSON(http.StatusOK, contentType, apitest.Object{
		{"id", "1"},
		{"balances", []apitest.Object{{{"asset", "USD"}, {"available", "25000.00"}}}},
	})
}
