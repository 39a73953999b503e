package web

import (
	"net/http"

	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/web/internal/answer"
	"b2trader.identity.auth/web/internal/request"
)

// refuseCrossOrigin returns a middleware that answers 403 to unsafe requests of
// other sites (http.CrossOriginProtection). API calls prove their origin more
// strictly, see gateway/origin.go.
func (s *Server) refuseCrossOrigin() (func(http.Handler) http.Handler, error) {
	protection := http.NewCrossOriginProtection()
	if err := protection.AddTrustedOrigin(s.config.PublicURL); err != nil {
		return nil, &tokenapi.FieldError{Field: "Config.PublicURL", Err: err}
	}
	protection.AddInsecureBypassPattern("POST " + backChannelPath) // the IdentityServer's request has a signed token
	protection.SetDenyHandler(s.answers.Page(s.crossOriginRefused))
	return protection.Handler, nil
}

func (s *Server) crossOriginRefused(_ http.ResponseWriter, r *http.Request) error {
	s.events.record(r.Context(), eventCrossOriginRefused,
		"origin", request.Clip(r.Header.Get("Origin"), 200), "fetch_site", request.Clip(r.Header.Get("Sec-Fetch-Site"), 20))
	return &answer.Error{Status: http.StatusForbidden, Code: "cross_origin"}
}
