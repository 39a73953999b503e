package identitytest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// maxJWT is the longest token that IdentityServer reads, in characters.
const maxJWT = 51200

// tokenClaims are the claims that the server reads from its own tokens.
type tokenClaims struct {
	Issuer    string   `json:"iss"`
	Subject   string   `json:"sub"`
	Audience  audience `json:"aud"`
	Expiry    int64    `json:"exp"`
	NotBefore int64    `json:"nbf"`
	ClientID  string   `json:"client_id"`
	SessionID string   `json:"sid"`
	Scopes    []string `json:"scope"`
}

// audience is a string or an array of strings, RFC 7519 section 4.1.3.
type audience []string

// UnmarshalJSON implements json.Unmarshaler.
func (a *audience) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*a = audience{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(a))
}

// expiredDescription is the description of a token that was valid before.
const expiredDescription = "The token is expired"

// bearerProblem is the reason of a refused bearer (RFC 6750 section 3.1).
type bearerProblem struct {
	status      int
	code        string // empty: no token was sent
	description string
	scope       string
}

func (p bearerProblem) challenge() string {
	var parts []string
	for _, part := range [][2]string{{"error", p.code}, {"error_description", p.description}, {"scope", p.scope}} {
		if part[1] != "" {
			parts = append(parts, fmt.Sprintf("%s=%q", part[0], part[1]))
		}
	}
	return strings.TrimSpace("Bearer " + strings.Join(parts, ", "))
}

// refuseBearer answers 401 or 403.
func (x *exchange) refuseBearer(p *bearerProblem) {
	x.Note(strings.TrimSpace(p.code + " " + p.description))
	x.Answer().Header().Set("WWW-Authenticate", p.challenge())
	x.problemDetails(p.status)
}

func invalidToken(description string) *bearerProblem {
	return &bearerProblem{status: http.StatusUnauthorized, code: "invalid_token", description: description}
}

// checkBearer verifies an access token: signature, iss, aud and times, without
// any skew, and that ExpireTokens has not ended it. The issuer is one that this
// server has used, whatever the request's host is. The audience is
// <issuer>/resources, which every access token of IdentityServer4 2.5 has and
// no ID token.
func (s *Server) checkBearer(raw string) (tokenClaims, *bearerProblem) {
	if raw == "" {
		return tokenClaims{}, &bearerProblem{status: http.StatusUnauthorized}
	}
	claims, ok := s.verifySignature(raw)
	switch {
	case !ok:
		return claims, invalidToken("The signature is invalid")
	case !s.issuers.has(claims.Issuer):
		return claims, invalidToken("The issuer is invalid")
	case !slices.Contains(claims.Audience, resourcesAudience(claims.Issuer)):
		return claims, invalidToken("The audience is invalid")
	case s.now().Unix() < claims.NotBefore:
		return claims, invalidToken("The token is not yet valid")
	case s.isOver(raw, claims):
		return claims, invalidToken(expiredDescription)
	}
	return claims, nil
}

// isOver reports whether an access token has expired, by time or by
// ExpireTokens.
func (s *Server) isOver(raw string, claims tokenClaims) bool {
	_, valid := s.access.Owner(raw)
	return !valid || s.now().Unix() >= claims.Expiry
}

// authorizeBearer verifies an access token that must have the scope.
func (s *Server) authorizeBearer(raw, scope string) (tokenClaims, *bearerProblem) {
	token, problem := s.checkBearer(raw)
	if problem == nil && !slices.Contains(token.Scopes, scope) {
		problem = &bearerProblem{status: http.StatusForbidden, code: "insufficient_scope", scope: scope}
	}
	return token, problem
}

// verifySignature returns the claims of a token that the server signed with a
// key that is still published.
func (s *Server) verifySignature(raw string) (tokenClaims, bool) {
	var claims tokenClaims
	if len(raw) > maxJWT {
		return claims, false
	}
	payload, ok := s.keys.verify(raw)
	if !ok || json.Unmarshal(payload, &claims) != nil {
		return tokenClaims{}, false
	}
	return claims, true
}

// resourcesAudience returns the audience of every access token.
func resourcesAudience(issuer string) string {
	return strings.TrimSuffix(issuer, "/") + "/resources"
}
