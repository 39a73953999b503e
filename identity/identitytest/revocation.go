package identitytest

import "net/http"

// revocation answers POST /identity/connect/revocation, RFC 7009. Unknown and
// foreign tokens are answered as if revoked; access tokens cannot be revoked.
func (s *Server) revocation(x *exchange) {
	if _, ok := x.parameters(); !ok {
		return
	}
	client, problem := s.authenticateClient(x)
	if problem != nil {
		x.tokenError(problem)
		return
	}
	token, hint := x.Form.Get("token"), x.Form.Get("token_type_hint")
	switch {
	case isMissing(token):
		x.tokenError(&protocolError{code: "invalid_request", reason: "token missing"})
		return
	case hint != "" && hint != "access_token" && hint != "refresh_token":
		x.tokenError(&protocolError{code: "unsupported_token_type", reason: "token_type_hint unknown"})
		return
	}
	s.grants.revoke(func(g refreshGrant) bool { return g.handle == token && g.client == client.ID })
	x.Status(http.StatusOK)
}
