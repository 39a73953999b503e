package identitytest

import (
	"net/http"
	"slices"
)

// userInfo answers GET and POST /identity/connect/userinfo, OpenID Connect Core 1.0 section 5.3.
func (s *Server) userInfo(x *exchange) {
	if !x.allowOnly(http.MethodGet, http.MethodPost) {
		return
	}
	raw := bearerFromHeader(x)
	if raw == "" {
		raw = x.form.Get("access_token")
	}
	claims, problem := s.checkBearer(x, raw)
	u := s.byID[claims.Subject]
	switch {
	case problem != nil:
		x.refuseUserInfo(http.StatusUnauthorized, "invalid_token", problem.description)
	case u == nil || !u.active():
		x.refuseUserInfo(http.StatusUnauthorized, "invalid_token", "")
	case !slices.Contains(claims.Scopes, "openid"):
		x.refuseUserInfo(http.StatusForbidden, "insufficient_scope", "")
	default:
		x.noCache()
		x.json(http.StatusOK, identityServerJSON, userInfoClaims(u, claims.Scopes))
	}
}

func userInfoClaims(u *user, scopes []string) object {
	claims := object{{"sub", u.ID}}
	if slices.Contains(scopes, "profile") {
		claims.add("name", u.Nickname)
		claims.add("nickname", u.Nickname)
	}
	if slices.Contains(scopes, "email") {
		claims.add("email", u.Email)
		claims.add("email_verified", true)
	}
	if u.Role != "" {
		claims.add("role", u.Role)
	}
	return claims
}

// refuseUserInfo answers as IdentityServer's own endpoint does: no body, no space in the
// challenge, and a description only for a token that has expired.
func (x *exchange) refuseUserInfo(status int, code, description string) {
	x.problem = code
	x.noCache()
	challenge := `Bearer realm="IdentityServer",error="` + code + `"`
	if description == expiredDescription {
		challenge += `,error_description="The access token expired"`
	}
	x.out.Header().Set("WWW-Authenticate", challenge)
	x.out.WriteHeader(status)
}
