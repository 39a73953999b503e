package identitytest

import (
	"net/url"
	"slices"
	"strings"
)

// endSession answers GET and POST /identity/connect/endsession, OpenID Connect
// RP-Initiated Logout 1.0: it redirects to the logout page, which ends the
// session and then redirects to the client's post_logout_redirect_uri.
func (s *Server) endSession(x *exchange) {
	params, ok := x.parameters()
	if !ok {
		return
	}
	location := x.origin() + basePath + "/account/logout"
	if logoutID := s.planLogout(x, params); logoutID != "" {
		location += "?logoutId=" + logoutID
	}
	x.noCache()
	x.redirect(location)
}

// planLogout returns the logoutId for the logout page, empty if it has nothing
// to do or the hint is refused.
func (s *Server) planLogout(x *exchange, params url.Values) (logoutID string) {
	found, ticket, signedIn := s.session(x)
	redirect := ""
	if hint := params.Get("id_token_hint"); hint != "" {
		claims, ok := s.verifyIDToken(hint)
		if !ok || signedIn && claims.Subject != found.userID {
			x.Note("invalid_request: id_token_hint")
			return ""
		}
		redirect = s.postLogoutRedirect(x, claims.Audience, params)
	}
	if !signedIn {
		ticket = ""
	}
	if !signedIn && redirect == "" {
		return ""
	}
	return s.sessions.planLogout(ticket, redirect, s.now())
}

// verifyIDToken returns the claims of an ID token of this server, which may
// have expired.
func (s *Server) verifyIDToken(raw string) (tokenClaims, bool) {
	claims, ok := s.verifySignature(raw)
	isIDToken := !slices.Contains(claims.Audience, resourcesAudience(claims.Issuer))
	return claims, ok && isIDToken && s.issuers.has(claims.Issuer)
}

// postLogoutRedirect returns the target after the logout page, with the
// request's state. It is empty unless it is one of the client's
// PostLogoutRedirectURIs. The client is that of the id_token_hint, as in
// IdentityServer.
func (s *Server) postLogoutRedirect(x *exchange, clients audience, params url.Values) string {
	asked := params.Get("post_logout_redirect_uri")
	if asked == "" || len(clients) != 1 {
		return ""
	}
	registered := s.clients[clients[0]].PostLogoutRedirectURIs
	if !slices.ContainsFunc(registered, func(r string) bool { return strings.EqualFold(r, asked) }) {
		x.Note("post_logout_redirect_uri is not registered")
		return ""
	}
	state := params.Get("state")
	switch {
	case state == "":
		return asked
	case strings.Contains(asked, "?"):
		return asked + "&state=" + url.QueryEscape(state)
	default:
		return asked + "?state=" + url.QueryEscape(state)
	}
}

// logoutPage answers the redirect of end session: it ends the planned session,
// tells the clients, and redirects if a client asked for it.
func (s *Server) logoutPage(x *exchange) {
	planned, ok := s.sessions.takeLogout(x.Query.Get("logoutId"), s.now())
	if !ok {
		x.say("Nothing to sign out of")
		return
	}
	if ended, ok := s.sessions.endPlanned(planned); ok {
		s.tellClients(x, ended)
	}
	x.dropSessionCookies()
	if planned.redirect != "" {
		x.redirect(planned.redirect)
		return
	}
	x.say("Signed out")
}
