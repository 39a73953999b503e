package identitytest

import (
	"net/http"
	"strings"
)

// signOut answers POST /identity/sign-out. With a refresh_token it revokes that one, else
// all of the user and client that the bearer names. Cookies that come with it end their
// session.
func (s *Server) signOut(x *exchange) {
	if !x.allowOnly(http.MethodPost) {
		return
	}
	token, problem := s.checkBearer(x, bearerFromHeader(x))
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
	x.json(http.StatusOK, mvcJSON, object{})
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
	x.out.Header().Set("Content-Type", "text/html; charset=utf-8")
	x.out.WriteHeader(status)
	_, _ = x.out.Write([]byte("<!doctype html><title>" + text + "</title><p>" + text + "</p>\n")) // a buffer takes all
}

// bearerFromHeader returns the token of the Authorization header, RFC 6750 section 2.1.
func bearerFromHeader(x *exchange) string {
	scheme, token, _ := strings.Cut(x.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}
