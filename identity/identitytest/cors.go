package identitytest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"b2trader.identity.auth/identity/apitest"
)

// corsEndpoints are the endpoints that a page of another origin may call. The
// value tells whether with cookies, which the sign-in of the npm package needs.
// A stock IdentityServer opens the first five.
var corsEndpoints = map[Endpoint]bool{
	EndpointDiscovery:  false,
	EndpointKeys:       false,
	EndpointToken:      false,
	EndpointUserInfo:   false,
	EndpointRevocation: false,
	EndpointSignIn:     true,
	EndpointSignOut:    true,
	EndpointAuthorize:  true,
	EndpointPage:       true, // the targets of authorize
}

// isOrigin reports whether s is an origin as browsers send it (RFC 6454 section
// 6.2): a scheme and a host, without a path.
func isOrigin(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme != "" && u.Host != "" && s == u.Scheme+"://"+u.Host
}

// allowsOrigin reports whether a client has the origin. As in IdentityServer,
// any client's is enough, because a preflight request names no client.
func (s *Server) allowsOrigin(origin string) bool {
	return slices.ContainsFunc(s.config.Clients, func(c Client) bool {
		return slices.ContainsFunc(c.AllowedCORSOrigins, func(allowed string) bool { return strings.EqualFold(allowed, origin) })
	})
}

// addCORSHeaders adds the headers that let a page of an allowed origin read the
// answer, including one that a fault gives.
func (s *Server) addCORSHeaders(x *apitest.Exchange, endpoint Endpoint) (allowed bool) {
	withCookies, open := corsEndpoints[endpoint]
	if !open || !s.usesCORS {
		return false
	}
	header := x.Answer().Header()
	header.Add("Vary", "Origin")
	origin := x.Header.Get("Origin")
	if !s.allowsOrigin(origin) {
		return false
	}
	header.Set("Access-Control-Allow-Origin", origin)
	if withCookies {
		header.Set("Access-Control-Allow-Credentials", "true")
	}
	return true
}

// preflight returns the handler of preflight requests for the endpoint. It
// allows any method and header, as IdentityServer does.
func (s *Server) preflight(endpoint Endpoint) handler {
	return func(x *exchange) {
		x.Status(http.StatusNoContent)
		if !s.addCORSHeaders(x.Exchange, endpoint) {
			x.Note("origin not allowed to any client")
			return
		}
		for asked, answered := range map[string]string{
			"Access-Control-Request-Method":  "Access-Control-Allow-Methods",
			"Access-Control-Request-Headers": "Access-Control-Allow-Headers",
		} {
			if value := x.Header.Get(asked); value != "" {
				x.Answer().Header().Set(answered, value)
			}
		}
	}
}
