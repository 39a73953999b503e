package identitytest

import (
	"net/http"
	"slices"
)

// endSession answers GET and POST /identity/connect/endsession, OpenID Connect
// RP-Initiated Logout 1.0: it redirects to the logout page, which ends the
// session. It ignores post_logout_redirect_uri, because no client here has one.
func (s *Server) endSession(x *exchange) {
	if !x.AllowOnly(http.MethodGet, http.MethodPost) {
		return
	}
	if x.Method == http.MethodPost && x.Form == nil {
		x.Status(http.StatusUnsupportedMediaType)
		return
	}
	params := x.Query
	if x.Method == http.MethodPost {
		params = x.Form
	}
	location := x.origin() + basePath + "/account/logout"
	_, ticket, signedIn := s.session(x)
	if signedIn && s.hintFits(x, params.Get("id_token_hint")) {
		location += "?logoutId=" + s.sessions.planLogout(ticket, s.now())
	}
	x.noCache()
	x.redirect(location)
}

// hintFits reports whether the id_token_hint is absent or an ID token of the
// session's user, which may have expired.
func (s *Server) hintFits(x *exchange, hint string) bool {
	if hint == "" {
		return true
	}
	claims, ok := s.verifySignature(hint)
	found, _, signedIn := s.session(x)
	isIDToken := !slices.Contains(claims.Audience, resourcesAudience(s.issuer(x)))
	if !ok || !isIDToken || !signedIn || claims.Issuer != s.issuer(x) || claims.Subject != found.userID {
		x.Note("invalid_request: id_token_hint")
		return false
	}
	return true
}

// logoutPage answers the redirect of end session and ends the planned session.
func (s *Server) logoutPage(x *exchange) {
	if !s.sessions.logout(x.Query.Get("logoutId")) {
		x.page(http.StatusOK, "Nothing to sign out of")
		return
	}
	x.dropSessionCookies()
	x.page(http.StatusOK, "Signed out")
}
