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
	return func(x *apitest.Exchange) {
		if !x.AllowOnly(http.MethodPost) {
			return
		}
		if _, ok := s.bearers.Owner(x.Bearer()); !ok {
			x.Note("the bearer is missing or dead")
			refuse(x, http.StatusUnauthorized, "Unauthenticated")
			return
		}
		h(x)
	}
}

// auth answers …/auth.
func (s *Server) auth(x *apitest.Exchange, platform string) { s.issue(x, platform) }

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
	owner, ok := s.refresh.Owner(refreshToken)
	if ok && owner == platform && !s.config.ReuseRefreshTokens {
		_, ok = s.refresh.Spend(refreshToken)
	}
	return ok && owner == platform
}

// issue answers with a new pair of tokens.
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
	seconds := int(s.config.TokenLifetime / time.Second)
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

// account answers GET /frontoffice/api/v3/account.
func (s *Server) account(x *apitest.Exchange) {
	if !x.AllowOnly(http.MethodGet) {
		return
	}
	if _, ok := s.access.Owner(x.Bearer()); !ok {
		x.Note("the access token is missing or dead")
		x.Answer().Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		refuse(x, http.StatusUnauthorized, "Unauthenticated")
		return
	}
	x.JSON(http.StatusOK, contentType, apitest.Object{
		{"id", "1"},
		{"balances", []apitest.Object{{{"asset", "USD"}, {"available", "25000.00"}}}},
	})
}
