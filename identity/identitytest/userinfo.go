package identitytest

import (
	"net/http"
	"slices"

	"b2trader.identity.auth/identity/apitest"
)

// userInfo answers GET and POST /identity/connect/userinfo, OpenID Connect Core
// 1.0 section 5.3.
func (s *Server) userInfo(x *exchange) {
	raw := x.Bearer()
	if raw == "" {
		raw = x.Form.Get("access_token")
	}
	claims, problem := s.checkBearer(raw)
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
		x.JSON(http.StatusOK, identityServerJSON, userInfoClaims(u, claims.Scopes))
	}
}

func userInfoClaims(u *user, scopes []string) apitest.Object {
	claims := apitest.Object{{"sub", u.ID}}
	if slices.Contains(scopes, "profile") {
		claims.Add("name", u.Nickname)
		claims.Add("nickname", u.Nickname)
	}
	if slices.Contains(scopes, "email") {
		claims.Add("email", u.Email)
		claims.Add("email_verified", true)
	}
	if role := u.currentRole(); role != "" {
		claims.Add("role", role)
	}
	return claims
}

// refuseUserInfo answers as IdentityServer's endpoint does: no body, no space
// in the challenge, and a description for an expired token only.
func (x *exchange) refuseUserInfo(status int, code, description string) {
	x.Note(code)
	x.noCache()
	challenge := `Bearer realm="IdentityServer",error="` + code + `"`
	if description == expiredDescription {
		challenge += `,error_description="The access token expired"`
	}
	x.Answer().Header().Set("WWW-Authenticate", challenge)
	x.Status(status)
}
