package web

import (
	"cmp"
	"net/http"

	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/web/internal/gateway"
)

// Upstream bounds the calls that are passed on to one of the APIs under /api/.
// The zero value is good for most APIs.
type Upstream struct {
	// Methods are the methods that are passed on. Others get 405. Nil: GET, HEAD,
	// POST, PUT, PATCH and DELETE. TRACE and CONNECT are never passed on.
	Methods []string

	// Users are the users that may call the API; others get 403. Zero:
	// UsersByDefault.
	Users Users

	// RequestHeaders are passed on beside the headers that every API needs: those
	// of content negotiation, conditions, ranges, caching and tracing,
	// Idempotency-Key and User-Agent. All others are dropped, so that a browser
	// cannot send a header that the API takes for ours. Nil: none.
	RequestHeaders []string

	// ResponseHeaders are passed on beside the usual ones: those of content,
	// caching by the browser, conditions, ranges, rate limits, tracing and
	// websockets, Link, Location and Retry-After. All others are dropped, since
	// caches and proxies in front of this site obey some. Nil: none.
	ResponseHeaders []string

	// MaxBody bounds the body of a request, in bytes. Zero: 10 MiB.
	MaxBody int64

	// MaxCalls bounds the calls under way at the same time; more get 503.
	// Zero: 256.
	MaxCalls int

	// MaxStreams bounds the open event streams and websockets of one session;
	// more get 429. They do not count as calls. Zero: 16.
	MaxStreams int

	// MaxCallsPerSession and MaxCallsPerUser bound the calls under way of one
	// session and of all sessions of one user; more get 429. Zero: a quarter and
	// a half of MaxCalls, but at least 2.
	MaxCallsPerSession, MaxCallsPerUser int
}

// Users says which of the signed-in users may call an API.
type Users int

const (
	// UsersByDefault is AdministratorsOnly for Config.BackOffice, and AllUsers for
	// Config.FrontOffice.
	UsersByDefault Users = iota

	// AllUsers are all that have a token for the API. For Config.BackOffice, users
	// who are not administrators can then also sign in with a client whose tokens
	// have the scope BackOffice, such as spa_admin.
	AllUsers

	// AdministratorsOnly are the administrators, see the package's doc. Without
	// the role at a renewal of the token a user is none any more: calls get 403,
	// and open streams end.
	AdministratorsOnly
)

// check reports every problem of u, the field name of the Config.
func (u Upstream) check(name string, p *tokenapi.Problems) {
	for _, method := range u.Methods {
		if !gateway.ForwardableMethod(method) {
			p.Add(name+".Methods", "cannot have %q: the method is never passed on", method)
		}
	}
	for _, header := range u.RequestHeaders {
		if !gateway.ForwardableHeader(header) {
			p.Add(name+".RequestHeaders", "cannot have %q: the header is never passed on", header)
		}
	}
	for _, header := range u.ResponseHeaders {
		if !gateway.ForwardableAnswerHeader(header) {
			p.Add(name+".ResponseHeaders", "cannot have %q: the header is never passed on", header)
		}
	}
	if u.Users < UsersByDefault || u.Users > AdministratorsOnly {
		p.Add(name+".Users", "cannot be %d: it is none of the constants of type Users", u.Users)
	}
	p.Negative(name+".MaxBody", u.MaxBody < 0)
	p.Negative(name+".MaxCalls", u.MaxCalls < 0)
	p.Negative(name+".MaxStreams", u.MaxStreams < 0)
	p.Negative(name+".MaxCallsPerSession", u.MaxCallsPerSession < 0)
	p.Negative(name+".MaxCallsPerUser", u.MaxCallsPerUser < 0)
}

// NewAPITransport returns the transport that sends the calls to the APIs if
// Config.APITransport is nil. It verifies the servers' certificates; for a
// private authority set RootCAs in its TLSClientConfig. An answer's body may
// take any time, since it may be a stream. Bounds: 5 seconds to connect, 5
// seconds for TLS, 30 seconds and 64 KiB for an answer's header.
func NewAPITransport() *http.Transport { return gateway.NewTransport() }

func (s *Server) newGateway() *gateway.Gateway {
	c := s.config
	return gateway.New(gateway.Config{
		SiteURL: c.PublicURL,
		Upstreams: []gateway.Upstream{
			s.upstream("frontoffice", c.FrontOfficeURL, c.FrontOffice, AllUsers),
			s.upstream("backoffice", c.BackOfficeURL, c.BackOffice, AdministratorsOnly),
		},
		Transport: c.APITransport,
		Vault:     s.vault,
		Sessions:  apiSessions{s.sessions},
		Metrics:   s.metrics.upstream,
		Answers:   s.answers,
		Logger:    s.logger,
		Now:       s.sessions.Now,
	})
}

// upstream returns u, an API, as the gateway wants it.
func (s *Server) upstream(name, url string, u Upstream, usual Users) gateway.Upstream {
	g := gateway.Upstream{Name: name, URL: url, Limits: gateway.Limits{
		Methods: u.Methods, RequestHeaders: u.RequestHeaders, ResponseHeaders: u.ResponseHeaders,
		MaxBody: u.MaxBody, MaxCalls: u.MaxCalls, MaxStreams: u.MaxStreams,
		MaxCallsPerSession: u.MaxCallsPerSession, MaxCallsPerUser: u.MaxCallsPerUser,
	}}
	if cmp.Or(u.Users, usual) == AdministratorsOnly {
		g.Admits = s.administrators.has
	}
	return g
}
