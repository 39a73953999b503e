package apitest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// maxRecorded is how many requests a server keeps in its record.
const maxRecorded = 4096

// Request is a request in the record. It contains passwords, codes, tokens and
// cookies: compare it, do not log it.
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
	// Header is the request's header.
	Header http.Header
	// Body is the request's body as sent.
	Body []byte
	// Status is the HTTP status of the answer. 0 means none: the request is
	// under way, or its connection was cut.
	Status int
	// Problem is the error code and the reason that a server would log, and
	// that the client often does not get. Empty after a success.
	Problem string

	target string // path and query as sent
}

// Wire returns the request as text: a line of method, path and query as sent,
// the named header fields in that order, one a line, an empty line, and the
// body. Lines end in \n. It leaves out fields that were not sent, and Host,
// which a handler does not see in the header.
func (r Request) Wire(headers ...string) string {
	var b strings.Builder
	b.WriteString(r.Method + " " + r.target + "\n")
	for _, name := range headers {
		for _, value := range r.Header.Values(name) {
			b.WriteString(name + ": " + value + "\n")
		}
	}
	b.WriteString("\n")
	b.Write(r.Body)
	return b.String()
}

func (r Request) clone() Request {
	r.Query = cloneValues(r.Query)
	r.Form = cloneValues(r.Form)
	r.Header = r.Header.Clone()
	r.Body = slices.Clone(r.Body)
	return r
}

func cloneValues(v url.Values) url.Values { return url.Values(http.Header(v).Clone()) }

// Requests returns the requests to the endpoint, oldest first, including those
// under way. The record keeps at least the last 3072 requests of all endpoints.
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

// recorder records requests. Its zero value is ready to use.
type recorder struct {
	mu      sync.Mutex
	entries []*Request
	counts  map[Endpoint]int
}

// newEntry returns the record's entry of x before its answer.
func newEntry(x *Exchange, now time.Time) *Request {
	return &Request{
		Time: now, Endpoint: x.Endpoint, Method: x.Method, Path: x.URL.Path, target: x.URL.RequestURI(),
		Query: cloneValues(x.Query), Form: cloneValues(x.Form), Header: x.Header.Clone(), Body: slices.Clone(x.Body),
	}
}

// begin records the arrival of a request.
func (r *recorder) begin(entry *Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.counts == nil {
		r.counts = make(map[Endpoint]int)
	}
	r.counts[entry.Endpoint]++
	if len(r.entries) >= maxRecorded {
		r.entries = slices.Delete(r.entries, 0, maxRecorded/4)
	}
	r.entries = append(r.entries, entry)
}

// end records the answer.
func (r *recorder) end(entry *Request, x *Exchange) {
	r.mu.Lock()
	defer r.mu.Unlock()
	entry.Status, entry.Problem = x.out.Code, x.problem
}
