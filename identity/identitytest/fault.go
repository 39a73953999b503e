package identitytest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"
)

// oversize is how much white space Fault.Oversized puts before an answer, in bytes.
const oversize = 2 << 20

// Fault is something that goes wrong on command. Its parts can be combined. The zero Fault
// does nothing.
type Fault struct {
	// Times is how many requests suffer. 0 means one; negative means all until ClearFaults.
	Times int

	// Grant limits a fault of EndpointToken to requests with this grant_type.
	Grant string

	// DelayBefore passes before the request is processed. If the client goes away
	// meanwhile, the request is never processed.
	DelayBefore time.Duration

	// DelayAfter passes between processing and answering. If the client goes away
	// meanwhile, the request stays processed: a refresh token is used up.
	DelayAfter time.Duration

	// LoseRequest cuts the connection before the request is processed, LoseAnswer after.
	// Either way the client sees the connection end without a byte. Mind that net/http's
	// client silently repeats a GET that met this on a reused connection.
	LoseRequest, LoseAnswer bool

	// Status and Body are answered instead of processing the request. With a Body and no
	// Status the status is 200.
	Status int
	Body   []byte

	// RetryAfter is set as the header of that name, in whatever answer there is.
	RetryAfter string

	// ContentType replaces the media type of whatever answer there is.
	ContentType string

	// Oversized puts 2 MiB of white space before whatever answer there is. JSON allows
	// it, so a client that bounds what it reads fails and one that does not succeeds.
	Oversized bool

	// Answer changes the members of a JSON answer of status 200 at will: it may remove,
	// replace and add. Numbers are json.Number. The members' order is lost.
	Answer func(fields map[string]any)

	// IDToken breaks the ID tokens of EndpointToken.
	IDToken IDTokenFault

	// Redirect makes EndpointAuthorize redirect there, whatever it was asked.
	Redirect string

	// ErrorCode makes EndpointAuthorize send this error to the redirect URI instead of a code.
	ErrorCode string

	// WrongState and NoState make EndpointAuthorize answer with another state, or none.
	WrongState, NoState bool
}

// Inject lets the endpoint fail as f says, from the next request on. Faults of an endpoint
// are used up in the order in which they were injected, one per request. It panics on an
// endpoint or an ID token fault that does not exist.
func (s *Server) Inject(e Endpoint, f Fault) {
	if !e.known() {
		panic(fmt.Sprintf("identitytest: Inject: no endpoint %q", e))
	}
	if _, ok := idTokenFaults[f.IDToken]; f.IDToken != "" && !ok {
		panic(fmt.Sprintf("identitytest: Inject: no ID token fault %q", f.IDToken))
	}
	if f.Times == 0 {
		f.Times = 1
	}
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.queue = append(s.faults.queue, queuedFault{e, f})
}

// ClearFaults forgets every fault that has not happened yet. Requests that are already
// suffering one are not relieved.
func (s *Server) ClearFaults() {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.queue = nil
}

type faultQueue struct {
	mu    sync.Mutex
	queue []queuedFault
}

type queuedFault struct {
	endpoint Endpoint
	fault    Fault
}

// take returns the fault that is due, counting it down.
func (q *faultQueue) take(e Endpoint, grant string) Fault {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.IndexFunc(q.queue, func(f queuedFault) bool {
		return f.endpoint == e && (f.fault.Grant == "" || f.fault.Grant == grant)
	})
	if i < 0 {
		return Fault{}
	}
	due := q.queue[i].fault
	if due.Times > 0 {
		q.queue[i].fault.Times--
	}
	if q.queue[i].fault.Times == 0 {
		q.queue = slices.Delete(q.queue, i, i+1)
	}
	return due
}

// answerInstead writes the answer that needs no processing.
func (f Fault) answerInstead(out *answer) {
	out.Header().Set("Content-Type", identityServerJSON)
	if f.Status != 0 {
		out.WriteHeader(f.Status)
	}
	_, _ = out.Write(f.Body) // a buffer takes all
}

// distort changes an answer that is complete.
func (f Fault) distort(out *answer) {
	if f.Answer != nil && out.status == http.StatusOK {
		if fields, ok := decodeObject(out.body.Bytes()); ok {
			f.Answer(fields)
			out.body.Reset()
			out.body.Write(encodeJSON(fields))
		}
	}
	if f.RetryAfter != "" {
		out.Header().Set("Retry-After", f.RetryAfter)
	}
	if f.ContentType != "" {
		out.Header().Set("Content-Type", f.ContentType)
	}
	if f.Oversized {
		body := slices.Clone(out.body.Bytes())
		out.body.Reset()
		out.body.Write(bytes.Repeat([]byte(" "), oversize))
		out.body.Write(body)
	}
}

func decodeObject(body []byte) (map[string]any, bool) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var fields map[string]any
	if decoder.Decode(&fields) != nil || fields == nil {
		return nil, false
	}
	return fields, true
}
