package identitytest

import (
	"sync"

	"b2trader.identity.auth/identity/apitest"
)

// Endpoint names a part of the server, for faults and the record.
type Endpoint = apitest.Endpoint

// The endpoints. EndpointFrontOffice and EndpointBackOffice stand for all
// resources of those APIs, EndpointHub for the websockets of the SignalR hub,
// EndpointPage for the targets of redirects:
// /identity/sign-in-done, /identity/unauthorized and /identity/account/logout.
// EndpointSignInPage is the page of Config.SignInPage.
// EndpointPreflight stands for the preflight requests of browsers to all
// endpoints, once a client has AllowedCORSOrigins, EndpointAbout for GET /.
const (
	EndpointSignIn      Endpoint = "sign-in"
	EndpointSignOut     Endpoint = "sign-out"
	EndpointAuthorize   Endpoint = "authorize"
	EndpointToken       Endpoint = "token"
	EndpointDiscovery   Endpoint = "discovery"
	EndpointKeys        Endpoint = "keys"
	EndpointRevocation  Endpoint = "revocation"
	EndpointUserInfo    Endpoint = "userinfo"
	EndpointEndSession  Endpoint = "end-session"
	EndpointFrontOffice Endpoint = "front-office"
	EndpointBackOffice  Endpoint = "back-office"
	EndpointHub         Endpoint = "hub"
	EndpointPage        Endpoint = "page"
	EndpointSignInPage  Endpoint = "sign-in-page"
	EndpointPreflight   Endpoint = "preflight"
	EndpointAbout       Endpoint = "about"
)

// Request is a request in the record. It contains passwords, codes, tokens and
// cookies: compare it, do not log it. Its Problem is what an IdentityServer
// would log.
type Request = apitest.Request

// Requests returns the requests to the endpoint, oldest first, including those
// under way. The record keeps at least the last 3072 requests of all endpoints.
func (s *Server) Requests(e Endpoint) []Request { return s.api.Requests(e) }

// Count returns how many requests the endpoint has received.
func (s *Server) Count(e Endpoint) int { return s.api.Count(e) }

// Grants returns how many token requests had that grant_type, including refused
// ones. Grant types over 100 characters are not counted.
func (s *Server) Grants(grantType string) int {
	s.granted.mu.Lock()
	defer s.granted.mu.Unlock()
	return s.granted.counts[grantType]
}

// grantCounter counts token requests by grant type. Its zero value is ready to
// use.
type grantCounter struct {
	mu     sync.Mutex
	counts map[string]int
}

func (c *grantCounter) arrived(x *apitest.Exchange) {
	grant := x.Form.Get("grant_type")
	if x.Endpoint != EndpointToken || tooLong(grant, 100) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts == nil {
		c.counts = make(map[string]int)
	}
	c.counts[grant]++
}
