package b2binpaytest

import (
	"net/http"

	"b2trader.identity.auth/identity/apitest"
)

// balance answers GET /balance/, a resource of this server's own.
func (s *Server) balance(x *apitest.Exchange) {
	switch {
	case !x.AllowOnly(http.MethodGet):
	case !s.accepts(x.Bearer()):
		s.refuse(x, http.StatusUnauthorized, "not_authenticated", "The access token is not accepted.")
	default:
		x.JSON(http.StatusOK, mediaType, apitest.Object{{"data", apitest.Object{
			{"type", "balance"}, {"id", "1"}, {"attributes", apitest.Object{{"amount", "0.300000000000000000"}, {"currency", "ETH"}}},
		}}})
	}
}

// accepts counts a use of an access token, and reports whether it is good.
func (s *Server) accepts(token string) bool {
	if _, good := s.access.Owner(token); !good {
		return false
	}
	if s.config.MaxUses == 0 {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.uses[token]++
	return s.uses[token] <= s.config.MaxUses
}
