package b2coretest

import (
	"net/http"
	"strconv"
	"time"

	"b2trader.identity.auth/identity/apitest"
)

// contentType is the Content-Type of every answer.
const contentType = "application/json"

// guarded answers with h if the request shows a bearer of the B2Core session.
func (s *Server) guarded(h apitest.Handler) apitest.Handler {
	return s.bearers.Guard(http.MethodPost, unauthenticated, func(x *apitest.Exchange, _ string) { h(x) })
}

// renew answers …/refresh, whatever the Content-Type: the page's sample has not
// that of JSON.
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

// use spends a refresh token, unless Config says that it works again, and
// reports whether it was good for that platform.
func (s *Server) use(refreshToken, platform string) bool {
	if owner, ok := s.refresh.Owner(refreshToken); !ok || owner != platform {
		return false
	}
	_, ok := s.refresh.Use(refreshToken, s.config.ReuseRefreshTokens)
	return ok
}

// issue answers with a new access token and refresh token.
func (s *Server) issue(x *apitest.Exchange, platform string) {
	now := s.config.Now()
	// In the sample, exp is far beyond the ttl, also in the access token.
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

// refuse answers with an error in the shape that B2Core's TypeScript client reads.
func refuse(x *apitest.Exchange, status int, message string) {
	x.JSON(status, contentType, apitest.Object{{"error", apitest.Object{{"message", message}}}})
}

// unauthenticated refuses a bearer of the B2Core session.
func unauthenticated(x *apitest.Exchange) { refuse(x, http.StatusUnauthorized, "Unauthenticated") }

// refuseToken refuses an access token of the API.
func refuseToken(x *apitest.Exchange) {
	x.Answer().Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
	unauthenticated(x)
}

// account answers with the API's resource.
func account(x *apitest.Exchange, _ string) {
	x.JSON(http.StatusOK, contentType, apitest.Object{
		{"id", "1"},
		{"balances", []apitest.Object{{{"asset", "USD"}, {"available", "25000.00"}}}},
	})
}
