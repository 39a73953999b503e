package b2binpaytest

import (
	"net/http"

	"b2trader.identity.auth/identity/apitest"
)

func (s *Server) refuseToken(x *apitest.Exchange) {
	s.refuse(x, http.StatusUnauthorized, "not_authenticated", "The access token is not accepted.")
}

// balance answers with the API's resource, unless the access token is used up.
func (s *Server) balance(x *apitest.Exchange, _ string) {
	if !s.use(x.Bearer()) {
		s.refuseToken(x)
		return
	}
	x.JSON(http.StatusOK, mediaType, apitest.Object{{"data", apitest.Object{
		{"type", "balance"}, {"id", "1"}, {"attributes", apitest.Object{{"amount", "0.300000000000000000"}, {"currency", "ETH"}}},
	}}})
}

// use counts a use of an access token and reports whether it is allowed.
func (s *Server) use(token string) bool {
	if s.config.MaxUses == 0 {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.uses[token]++
	return s.uses[token] <= s.config.MaxUses
}
