package identitytest

import (
	"net/http"

	"b2trader.identity.auth/identity/apitest"
)

// listUsers answers GET /backoffice/api/v1/users.
func (s *Server) listUsers(x *exchange, _ tokenClaims) {
	list := []apitest.Object{}
	for _, configured := range s.config.Users {
		u := s.byID[configured.ID]
		list = append(list, apitest.Object{
			{"id", u.ID},
			{"nickname", u.Nickname},
			{"email", u.Email},
			{"role", u.currentRole()},
			{"secondFactor", u.SecondFactorCode != ""},
			{"disabled", !u.active()},
		})
	}
	x.JSON(http.StatusOK, mvcJSON, apitest.Object{{"users", list}})
}

// listClients answers GET /backoffice/api/v1/clients.
func (s *Server) listClients(x *exchange, _ tokenClaims) {
	list := []apitest.Object{}
	for _, c := range s.config.Clients {
		list = append(list, apitest.Object{
			{"id", c.ID},
			{"scopes", c.Scopes},
			{"grantTypes", c.GrantTypes},
			{"confidential", c.Secret != ""},
		})
	}
	x.JSON(http.StatusOK, mvcJSON, apitest.Object{{"clients", list}})
}
