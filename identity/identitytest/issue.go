package identitytest

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"b2trader.identity.auth/identity/apitest"
)

// issue returns the answer to an accepted token request, with the members in
// IdentityServer's order.
func (s *Server) issue(x *exchange, g grant) apitest.Object {
	now := s.now()
	s.issuers.add(s.issuer(x))
	access := s.keys.sign(s.accessTokenClaims(x, g, now).JSON())
	s.access.Add(access, g.userID())
	var fields apitest.Object
	if !g.noIDToken && slices.Contains(g.scopes, "openid") {
		if idToken := s.idToken(x, g, access, now); idToken != "" {
			fields.Add("id_token", idToken)
		}
	}
	fields.Add("access_token", access)
	fields.Add("expires_in", int(s.config.AccessTokenLifetime/time.Second))
	fields.Add("token_type", "Bearer")
	if g.user != nil && slices.Contains(g.scopes, scopeOfflineAccess) {
		fields.Add("refresh_token", s.grants.addToken(refreshGrant{
			client: g.client.ID, userID: g.user.ID, scopes: g.scopes,
			authTime: g.authTime, created: g.created, family: g.family,
		}, now))
	}
	fields.Add("scope", strings.Join(g.scopes, " "))
	return fields
}

// accessTokenClaims returns the claims of IdentityServer4 2.5 in its order: no
// iat, jti or sid.
func (s *Server) accessTokenClaims(x *exchange, g grant, now time.Time) apitest.Object {
	issuer := s.issuer(x)
	claims := apitest.Object{
		{"nbf", now.Unix()},
		{"exp", now.Add(s.config.AccessTokenLifetime).Unix()},
		{"iss", issuer},
		{"aud", oneOrMany(append([]string{resourcesAudience(issuer)}, apisOf(g.scopes)...))},
		{"client_id", g.client.ID},
	}
	if g.user != nil {
		claims = append(claims, userClaims(g)...)
	}
	claims.Add("scope", g.scopes)
	if g.user != nil {
		claims.Add("amr", []string{"pwd"})
	}
	return claims
}

// idToken returns the ID token, broken as the fault says. It is empty for
// NoIDToken.
func (s *Server) idToken(x *exchange, g grant, access string, now time.Time) string {
	claims := apitest.Object{
		{"nbf", now.Unix()},
		{"exp", now.Add(s.config.IDTokenLifetime).Unix()},
		{"iss", s.issuer(x)},
		{"aud", g.client.ID},
	}
	if g.nonce != "" {
		claims.Add("nonce", g.nonce)
	}
	claims.Add("iat", now.Unix())
	claims.Add("at_hash", accessTokenHash(access))
	if g.sessionID != "" {
		claims.Add("sid", g.sessionID)
	}
	claims = append(claims, userClaims(g)...)
	claims.Add("amr", []string{"pwd"})
	if broken, ok := idTokenFaults[x.fault.IDToken]; ok {
		return broken(draft{&s.keys, claims, access, now})
	}
	return s.keys.sign(claims.JSON())
}

// userClaims returns the claims about the user in both tokens.
func userClaims(g grant) apitest.Object {
	claims := apitest.Object{
		{"sub", g.user.ID},
		{"auth_time", g.authTime.Unix()},
		{"idp", "local"},
	}
	if role := g.user.currentRole(); role != "" {
		claims.Add("role", role)
	}
	return claims
}

// accessTokenHash returns the at_hash, OpenID Connect Core 1.0 section 3.1.3.6.
func accessTokenHash(access string) string {
	sum := sha256.Sum256([]byte(access))
	return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
}

func apisOf(scopes []string) []string {
	return slices.DeleteFunc(slices.Clone(scopes), func(scope string) bool { return !isAPIScope(scope) })
}

// oneOrMany returns an audience in IdentityServer's form: a string for one,
// otherwise an array.
func oneOrMany(audiences []string) any {
	if len(audiences) == 1 {
		return audiences[0]
	}
	return audiences
}
