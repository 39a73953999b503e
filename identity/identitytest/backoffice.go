package identitytest

import "net/http"

// backOffice wraps a resource of the BackOffice API.
func (s *Server) backOffice(r resource) handler { return s.guard(scopeBackOffice, r) }

// listUsers answers GET /backoffice/api/v1/users.
func (s *Server) listUsers(x *exchange, _ tokenClaims) {
	if !x.allowOnly(http.MethodGet) {
		return
	}
	list := []object{}
	for _, configured := range s.config.Users {
		u := s.byID[configured.ID]
		list = append(list, object{
			{"id", u.ID},
			{"nickname", u.Nickname},
			{"email", u.Email},
			{"role", u.Role},
			{"secondFactor", u.SecondFactorCode != ""},
			{"disabled", !u.active()},
		})
	}
	x.json(http.StatusOK, mvcJSON, object{{"users", list}})
}

// listClients answers GET /backoffice/api/v1/clients.
func (s *Server) listClients(x *exchange, _ tokenClaims) {
	if !x.allowOnly(http.MethodGet) {
		return
	}
	list := []object{}
	for _, c := range s.config.Clients {
		list = append(list, object{
			{"id", c.ID},
			{"scopes", c.Scopes},
			{"grantTypes", c.GrantTypes},
			{"confidential", c.Secret != ""},
		})
	}
	x.json(http.StatusOK, mvcJSON, object{{"clients", list}})
}
