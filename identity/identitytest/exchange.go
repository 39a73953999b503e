package identitytest

import (
	"net/http"
	"net/url"
	"strings"
	"unicode/utf16"

	"b2trader.identity.auth/identity/apitest"
)

// exchange is one request to the server and the answer to it.
type exchange struct {
	*apitest.Exchange
	fault Fault // as injected; the zero Fault is none
}

// handler answers one request into x.
type handler func(x *exchange)

// handle answers path with h, for these methods or, without any, for all. It
// answers the preflight requests of pages of other origins, too: these have an
// endpoint of their own, so that no fault and no count of endpoint applies to
// them.
func (s *Server) handle(path string, endpoint Endpoint, h handler, methods ...string) {
	s.route(path, endpoint, func(x *exchange) {
		if len(methods) == 0 || x.AllowOnly(methods...) {
			h(x)
		}
	})
	if _, open := corsEndpoints[endpoint]; open && s.usesCORS {
		s.route(http.MethodOptions+" "+path, EndpointPreflight, s.preflight(endpoint))
	}
}

func (s *Server) route(path string, endpoint Endpoint, h handler) {
	s.api.Handle(path, endpoint, func(x *apitest.Exchange) {
		fault, _ := x.Fault.Extra.(Fault)
		x.Answer().Header().Set("Date", s.config.Now().UTC().Format(http.TimeFormat)) // also in memory
		h(&exchange{x, fault})
	})
}

// parameters returns those of a GET's query or of a POST's form. It answers 415
// to a POST of anything else.
func (x *exchange) parameters() (_ url.Values, ok bool) {
	switch {
	case x.Method == http.MethodGet:
		return x.Query, true
	case x.Form == nil:
		x.Status(http.StatusUnsupportedMediaType)
		return nil, false
	}
	return x.Form, true
}

// origin returns scheme and host as the client sees them.
func (x *exchange) origin() string {
	if x.TLS != nil {
		return "https://" + x.Host
	}
	return "http://" + x.Host
}

// issuer returns the iss of tokens for this request.
func (s *Server) issuer(x *exchange) string {
	if s.config.Issuer != "" {
		return s.config.Issuer
	}
	return strings.ToLower(x.origin()) + basePath
}

// redirect answers 302.
func (x *exchange) redirect(location string) {
	x.Answer().Header().Set("Location", location)
	x.Status(http.StatusFound)
}

// html answers 200 with a page.
func (x *exchange) html(page string) {
	x.Answer().Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = x.Answer().Write([]byte(page)) // a buffer never fails
}

// noCache sets the headers of IdentityServer's token and authorize answers.
func (x *exchange) noCache() {
	x.Answer().Header().Set("Cache-Control", "no-store, no-cache, max-age=0")
	x.Answer().Header().Set("Pragma", "no-cache")
}

const (
	// identityServerJSON is the media type of IdentityServer's own endpoints.
	identityServerJSON = "application/json; charset=UTF-8"
	// mvcJSON is the media type of the platform's controllers beside it.
	mvcJSON     = "application/json; charset=utf-8"
	problemJSON = "application/problem+json; charset=utf-8"
)

// problemDetails answers with the error body of ASP.NET Core (RFC 7807).
func (x *exchange) problemDetails(status int) {
	kind, ok := map[int]string{
		http.StatusUnauthorized: "https://tools.ietf.org/html/rfc7235#section-3.1",
		http.StatusBadRequest:   "https://tools.ietf.org/html/rfc7231#section-6.5.1",
		http.StatusForbidden:    "https://tools.ietf.org/html/rfc7231#section-6.5.3",
		http.StatusNotFound:     "https://tools.ietf.org/html/rfc7231#section-6.5.4",
	}[status]
	if !ok {
		kind = "https://tools.ietf.org/html/rfc7231#section-6.5"
	}
	x.JSON(status, problemJSON, apitest.Object{
		{"type", kind},
		{"title", http.StatusText(status)},
		{"status", status},
		{"traceId", "00-" + apitest.RandomHex(16) + "-" + apitest.RandomHex(8) + "-00"},
	})
}

// newHandle returns a new code or refresh token: 64 lower-case hex digits.
func newHandle() string { return apitest.RandomHex(32) }

// isMissing reports whether s is empty or white space, as .NET does.
func isMissing(s string) bool { return strings.TrimSpace(s) == "" }

// tooLong reports whether s has more than limit UTF-16 code units, as .NET
// counts them.
func tooLong(s string, limit int) bool {
	return len(s) > limit && len(utf16.Encode([]rune(s))) > limit
}
