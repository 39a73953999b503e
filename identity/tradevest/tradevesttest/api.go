package tradevesttest

import (
	"net/http"
	"regexp"

	"b2trader.identity.auth/identity/apitest"
)

// uuid is the form of RFC 9562 section 4.
var uuid = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)

// customers answers the API's resource.
func (s *Server) customers(x *apitest.Exchange) {
	bearer, requestors := x.Bearer(), x.Header.Values("Requestor-ID")
	_, alive := s.tokens.Owner(bearer)
	switch {
	case !x.AllowOnly(http.MethodGet):
	case bearer == "":
		x.Note("no bearer")
		x.Answer().Header().Set("WWW-Authenticate", "Bearer") // RFC 6750 section 3
		x.Status(http.StatusUnauthorized)
	case !alive:
		x.Note("the token has ended, or never was one")
		x.Answer().Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		x.Status(http.StatusUnauthorized)
	case len(requestors) != 1 || !uuid.MatchString(requestors[0]):
		x.Note("want one Requestor-ID, a UUID")
		x.JSON(http.StatusBadRequest, mediaJSON, apitest.Object{{"error", "invalid_request"}})
	default:
		x.JSON(http.StatusOK, mediaJSON, apitest.Object{{"customers", []apitest.Object{
			{{"id", "0f2a3c64-5b1d-4f0e-9d27-6c1f6a9e5b01"}, {"name", "Sample Customer"}},
		}}})
	}
}
