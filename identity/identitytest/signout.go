package identitytest

import (
	"net/http"

	"b2trader.identity.auth/identity/apitest"
)

// signOut answers POST /identity/sign-out. With a refresh_token it revokes that
// one, otherwise all of the bearer's user and client. It ends the session of
// the request's cookies, and tells the clients of that session.
func (s *Server) signOut(x *exchange) {
	token, problem := s.checkBearer(x.Bearer())
	if problem != nil {
		x.refuseBearer(problem)
		return
	}
	var in struct {
		RefreshToken string `json:"refresh_token"`
	}
	if !x.decodeJSON(&in) {
		return
	}
	s.grants.revoke(func(g refreshGrant) bool {
		return g.userID == token.Subject && g.client == token.ClientID &&
			(in.RefreshToken == "" || in.RefreshToken == g.handle)
	})
	if ticket := requestCookies(x.Header)[cookieTicket]; ticket != "" {
		if ended, ok := s.sessions.end(ticket); ok {
			s.tellClients(x, ended)
		}
		x.dropSessionCookies()
	}
	x.JSON(http.StatusOK, mvcJSON, apitest.Object{})
}

// signInDonePage answers the redirect of a successful authorize.
func (s *Server) signInDonePage(x *exchange) { x.say("Signed in") }

// unauthorizedPage answers the redirect of a refused authorize.
func (s *Server) unauthorizedPage(x *exchange) { x.problemDetails(http.StatusUnauthorized) }

// say answers with a page that shows text.
func (x *exchange) say(text string) {
	x.html("<!doctype html><title>" + text + "</title><p>" + text + "</p>\n")
}
