package identitytest

import (
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"
)

// Endpoint names a part of the server, for faults and for the record.
type Endpoint string

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

func (e Endpoint) known() bool {
	switch e {
	case EndpointSignIn, EndpointSignOut, EndpointAuthorize, EndpointToken, EndpointDiscovery,
		EndpointKeys, EndpointRevocation, EndpointUserInfo, EndpointEndSession,
		EndpointFrontOffice, EndpointBackOffice, EndpointPage:
		return true
	}
	return false
}

// maxRecorded is how many requests a server remembers in full.
const maxRecorded = 4096

// Request is a request that the server got, passwords, codes, tokens and cookies included:
// compare it, do not log it.
type Request struct {
	// Time of arrival, by Config.Now.
	Time time.Time
	// Endpoint that the request was for.
	Endpoint Endpoint
	// Method and Path of the request line.
	Method, Path string
	// Query is the decoded query, never nil.
	Query url.Values
	// Form is the decoded body if it was a form, else nil.
	Form url.Values
	// Header holds the request's header fields.
	Header http.Header
	// Body is the request's body as sent.
	Body []byte
	// Status is the HTTP status answered. 0 means none: the request is still running, or
	// its connection was cut.
	Status int
	// Problem is what an IdentityServer would have written into its log: the error code and
	// the reason, which the client often does not learn. Empty if all went well.
	Problem string
}

func (r Request) clone() Request {
	r.Query = cloneValues(r.Query)
	r.Form = cloneValues(r.Form)
	r.Header = r.Header.Clone()
	r.Body = slices.Clone(r.Body)
	return r
}

func cloneValues(v url.Values) url.Values { return url.Values(http.Header(v).Clone()) }

// Requests returns what the endpoint was asked, oldest first, running requests included.
// At least the last 3072 requests of all endpoints together are remembered.
func (s *Server) Requests(e Endpoint) []Request {
	s.recorder.mu.Lock()
	defer s.recorder.mu.Unlock()
	var found []Request
	for _, entry := range s.recorder.entries {
		if entry.Endpoint == e {
			found = append(found, entry.clone())
		}
	}
	return found
}

// Count returns how many requests the endpoint has received.
func (s *Server) Count(e Endpoint) int {
	s.recorder.mu.Lock()
	defer s.recorder.mu.Unlock()
	return s.recorder.counts[e]
}

// Grants returns how many token requests came with that grant_type, refused ones included.
// Grant types over 100 characters are not counted.
func (s *Server) Grants(grantType string) int {
	s.recorder.mu.Lock()
	defer s.recorder.mu.Unlock()
	return s.recorder.grants[grantType]
}

// recorder remembers requests. Its zero value is ready.
type recorder struct {
	mu      sync.Mutex
	entries []*Request
	counts  map[Endpoint]int
	grants  map[string]int
}

// begin records the arrival of x.
func (r *recorder) begin(x *exchange, now time.Time) *Request {
	entry := &Request{
		Time: now, Endpoint: x.endpoint, Method: x.Method, Path: x.URL.Path,
		Query: cloneValues(x.query), Form: cloneValues(x.form), Header: x.Header.Clone(), Body: x.body,
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.counts == nil {
		r.counts, r.grants = make(map[Endpoint]int), make(map[string]int)
	}
	r.counts[x.endpoint]++
	if grant := x.form.Get("grant_type"); x.endpoint == EndpointToken && !tooLong(grant, 100) {
		r.grants[grant]++
	}
	if len(r.entries) >= maxRecorded {
		r.entries = slices.Delete(r.entries, 0, maxRecorded/4)
	}
	r.entries = append(r.entries, entry)
	return entry
}

// end records the answer.
func (r *recorder) end(entry *Request, x *exchange) {
	r.mu.Lock()
	defer r.mu.Unlock()
	entry.Status, entry.Problem = x.out.status, x.problem
}
