package apitest

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

	// If limits the fault to requests that it says yes to; the others neither suffer it nor
	// use it up. Nil means all. It must not call the server.
	If func(r Request) bool

	// DelayBefore passes before the request is processed. If the client goes away
	// meanwhile, the request is never processed.
	DelayBefore time.Duration

	// DelayAfter passes between processing and answering. If the client goes away
	// meanwhile, the request stays processed: a token that works once is used up.
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

	// ContentType replaces the media type of whatever answer there is. Empty means the
	// handler's, or application/json for Status and Body.
	ContentType string

	// Oversized puts 2 MiB of white space before whatever answer there is. JSON allows
	// it, so a client that bounds what it reads fails and one that does not succeeds.
	Oversized bool

	// Answer changes the members of a successful (2xx) JSON answer at will: it may remove,
	// replace and add. Numbers are json.Number. The members' order is lost.
	Answer func(fields map[string]any)

	// Extra is for the server's own kinds of fault: its handlers find it in Exchange.Fault.
	Extra any
}

// Inject lets the endpoint fail as f says, from the next request on. Faults of an endpoint
// are used up in the order in which they were injected, one per request. It panics on an
// endpoint that no Handle named.
func (s *Server) Inject(e Endpoint, f Fault) {
	if !s.knows(e) {
		panic(fmt.Sprintf("%s: Inject: no endpoint %q", s.config.Name, e))
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

func (f queuedFault) meets(r *Request) bool {
	return f.endpoint == r.Endpoint && (f.fault.If == nil || f.fault.If(r.clone()))
}

// take returns the fault that is due, counting it down: to 0, which is also where a fault
// for one request begins.
func (q *faultQueue) take(arrived *Request) Fault {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.IndexFunc(q.queue, func(f queuedFault) bool { return f.meets(arrived) })
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
	out.Header().Set("Content-Type", "application/json")
	if f.Status != 0 {
		out.WriteHeader(f.Status)
	}
	_, _ = out.Write(f.Body) // a buffer takes all
}

// distort changes an answer that is complete.
func (f Fault) distort(out *answer) {
	if f.Answer != nil && out.status/100 == http.StatusOK/100 {
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
