package identitytest

import (
	"net/http"

	"b2trader.identity.auth/identity/apitest"
)

// The paths of the APIs, in lower case, and their scopes.
const (
	frontOfficePath  = "/frontoffice/api/v3"
	backOfficePath   = "/backoffice/api/v1"
	scopeFrontOffice = "FrontOffice"
	scopeBackOffice  = "BackOffice"
)

// resource answers a request with a valid access token.
type resource func(x *exchange, token tokenClaims)

// guard answers with r if the request has a valid access token with that scope.
func (s *Server) guard(scope string, r resource) handler {
	return func(x *exchange) {
		token, problem := s.authorizeBearer(x.Bearer(), scope)
		if problem != nil {
			x.refuseBearer(problem)
			return
		}
		r(x, token)
	}
}

func unknownResource(x *exchange, _ tokenClaims) { x.problemDetails(http.StatusNotFound) }

// account answers GET /frontoffice/api/v3/account with the user of the token.
func (s *Server) account(x *exchange, token tokenClaims) {
	u, ok := s.byID[token.Subject]
	if !ok { // a token of client_credentials has no user
		x.problemDetails(http.StatusNotFound)
		return
	}
	x.JSON(http.StatusOK, mvcJSON, u.account())
}

// account is what the APIs tell a user of the account.
func (u *user) account() apitest.Object {
	return apitest.Object{
		{"id", u.ID},
		{"nickname", u.Nickname},
		{"email", u.Email},
		{"balances", []apitest.Object{
			{{"asset", "USD"}, {"available", "25000.00"}, {"locked", "0.00"}},
			{{"asset", "BTC"}, {"available", "0.75000000"}, {"locked", "0.00000000"}},
		}},
	}
}

// instruments answers GET /frontoffice/api/v3/instruments.
func (s *Server) instruments(x *exchange, _ tokenClaims) {
	var list []apitest.Object
	for _, i := range sampleInstruments() {
		list = append(list, i.at(s.now()).object())
	}
	x.JSON(http.StatusOK, mvcJSON, apitest.Object{{"instruments", list}})
}
