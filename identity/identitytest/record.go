package identitytest

import (
	"sync"

	"b2trader.identity.auth/identity/apitest"
)

// Endpoint names a part of the server, for faults and for the record.
type Endpoint = apitest.Endpoint

// The endpoints. EndpointFrontOffice and EndpointBackOffice stand for all resources of
// those APIs; EndpointPage for the pages that redirects lead to: /identity/sign-in-done,
// /identity/unauthorized and /identity/account/logout.
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
	EndpointPage        Endpoint = "page"
)

// Request is a request that the server got, passwords, codes, tokens and cookies included:
// compare it, do not log it. Its Problem is what an IdentityServer would have written into
// its log.
type Request = apitest.Request

// Requests returns what the endpoint was asked, oldest first, running requests included.
// At least the last 3072 requests of all endpoints together are remembered.
func (s *Server) Requests(e Endpoint) []Request { return s.api.Requests(e) }

// Count returns how many requests the endpoint has received.
func (s *Server) Count(e Endpoint) int { return s.api.Count(e) }

// Grants returns how many token requests came with that grant_type, refused ones included.
// Grant types over 100 characters are not counted.
func (s *Server) Grants(grantType string) int {
	s.granted.mu.Lock()
	defer s.granted.mu.Unlock()
	return s.granted.counts[grantType]
}

// grantCounter counts token requests by grant type. Its zero value is ready.
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
