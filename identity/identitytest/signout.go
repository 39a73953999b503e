package identitytest

import (
	"net/http"

	"b2trader.identity.auth/identity/apitest"
)

// signOut answers POST /identity/sign-out. With a refresh_token it revokes that one, else
// all of the user and client that the bearer names. Cookies that come with it end their
// session.
func (s *Server) signOut(x *exchange) {
	if !x.AllowOnly(http.MethodPost) {
		return
	}
	token, problem := s.checkBearer(x, x.Bearer())
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
		s.sessions.end(ticket)
		x.dropSessionCookies()
	}
	x.JSON(http.StatusOK, mvcJSON, apitest.Object{})
}

// signInDonePage is where a successful authorize leads.
func (s *Server) signInDonePage(x *exchange) {
	x.page(http.StatusOK, "Signed in")
}

// unauthorizedPage is where a refused authorize leads.
func (s *Server) unauthorizedPage(x *exchange) {
	x.problemDetails(http.StatusUnauthorized)
}

// page answers with a page that says text.
func (x *exchange) page(status int, text string) {
	x.Answer().Header().Set("Content-Type", "text/html; charset=utf-8")
	x.Status(status)
	_, _ = x.Answer().Write([]byte("<!doctype html><title>" + text + "</title><p>" + text + "</p>\n")) // a buffer takes all
}
