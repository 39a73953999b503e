package apitest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

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
	// Problem is what the server would have written into its log: the error code and the
	// reason, which the client often does not learn. Empty if all went well.
	Problem string

	target string // path and query as sent
}

// Wire returns the request as text: a line of method, path and query as sent, the named
// header fields in that order, one a line, an empty line, and the body. Lines end in \n; a
// field that was not sent is left out, and so is Host, which is not among the header fields
// that a handler sees. It is for comparing with a sample.
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

// recorder remembers requests. Its zero value is ready.
type recorder struct {
	mu      sync.Mutex
	entries []*Request
	counts  map[Endpoint]int
}

// newEntry is x as the record has it before it is answered.
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
	entry.Status, entry.Problem = x.out.status, x.problem
}
