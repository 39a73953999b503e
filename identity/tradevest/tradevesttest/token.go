package tradevesttest

import (
	"net/http"
	"net/url"
	"time"

	"b2trader.identity.auth/identity/apitest"
)

const mediaJSON = "application/json"

// token answers the token endpoint.
func (s *Server) token(x *apitest.Exchange) {
	if !x.AllowOnly(http.MethodPost) {
		return
	}
	if code, reason := s.refusal(x); code != "" {
		x.Note(code + ": " + reason)
		x.JSON(http.StatusBadRequest, mediaJSON, apitest.Object{{"error", code}})
		return
	}
	x.Answer().Header().Set("Cache-Control", "no-store") // RFC 6749 section 5.1
	x.JSON(http.StatusOK, mediaJSON, apitest.Object{
		{"access_token", s.issue()},
		{"expires_in", int64(s.config.AccessTokenLifetime / time.Second)},
		{"token_type", "Bearer"},
	})
}

// refusal returns the error code of a bad request and the reason for the record.
func (s *Server) refusal(x *apitest.Exchange) (code, reason string) {
	switch {
	case x.Header.Get("Authorization") != "":
		return "invalid_client", "the credentials belong in the body"
	case !complete(x.Form):
		return "invalid_request", "no form, or a parameter is missing or repeated"
	case x.Form.Get("grant_type") != "client_credentials":
		return "unsupported_grant_type", "not client_credentials"
	case !s.knows(x.Form.Get("client_id"), x.Form.Get("client_secret")):
		return "invalid_client", "another client_id or client_secret"
	case s.config.Scope != "" && x.Form.Get("scope") != s.config.Scope:
		return "invalid_scope", "another scope than is configured, or none"
	}
	return "", ""
}

// complete reports whether form has every parameter that the page requires, and
// none twice (RFC 6749 section 3.2).
func complete(form url.Values) bool {
	for _, values := range form {
		if len(values) > 1 {
			return false
		}
	}
	return form.Get("client_id") != "" && form.Get("client_secret") != "" && form.Get("grant_type") != ""
}

func (s *Server) knows(id, secret string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return id == s.config.ClientID && apitest.SameSecret(s.secret, secret)
}

// issue makes an access token.
func (s *Server) issue() string {
	now := s.config.Now()
	end := now.Add(s.config.AccessTokenLifetime)
	token := apitest.JWT(apitest.Object{{"alg", "RS256"}, {"typ", "JWT"}}, apitest.Object{{"client_id", s.config.ClientID}, {"iat", now.Unix()}, {"exp", end.Unix()}})
	s.tokens.Add(token, s.config.ClientID)
	return token
}
