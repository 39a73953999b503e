package tradevesttest

import (
	"net/http"
	"regexp"

	"b2trader.identity.auth/identity/apitest"
)

// uuid matches the form of RFC 9562 section 4.
var uuid = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)

func refuseToken(x *apitest.Exchange) {
	challenge := `Bearer error="invalid_token"`
	if x.Bearer() == "" {
		challenge = "Bearer" // RFC 6750 section 3
	}
	x.Answer().Header().Set("WWW-Authenticate", challenge)
	x.Status(http.StatusUnauthorized)
}

// customers answers with the API's resource.
func customers(x *apitest.Exchange, _ string) {
	if requestors := x.Header.Values("Requestor-ID"); len(requestors) != 1 || !uuid.MatchString(requestors[0]) {
		x.Note("want one Requestor-ID, a UUID")
		x.JSON(http.StatusBadRequest, mediaJSON, apitest.Object{{"error", "invalid_request"}})
		return
	}
	x.JSON(http.StatusOK, mediaJSON, apitest.Object{{"customers", []apitest.Object{
		{{"id", "0f2a3c64-5b1d-4f0e-9d27-6c1f6a9e5b01"}, {"name", "Sample Customer"}},
	}}})
}
