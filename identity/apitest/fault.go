package apitest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"time"
)

// oversize is the white space of Fault.Oversized, in bytes.
const oversize = 2 << 20

// Fault is a failure on command. Its fields can be combined. The zero Fault
// does nothing.
type Fault struct {
	// Times is the number of requests with this fault. 0 means one; negative
	// means all until ClearFaults.
	Times int

	// If limits the fault to the requests for which it returns true; the others
	// do not count. Nil means all. It must neither call the server nor change the
	// request.
	If func(r Request) bool

	// DelayBefore passes before the request is processed. If the client
	// disconnects meanwhile, the request is never processed.
	DelayBefore time.Duration

	// DelayAfter passes between processing and answering. If the client
	// disconnects meanwhile, the request stays processed: a token that works
	// once is used up.
	DelayAfter time.Duration

	// LoseRequest cuts the connection before the request is processed,
	// LoseAnswer after. Either way the client sees the connection end without a
	// byte. Mind that net/http's client silently repeats a GET after this on a
	// reused connection.
	LoseRequest, LoseAnswer bool

	// Status and Body are answered instead of processing the request. With a
	// Body and no Status the status is 200.
	Status int
	Body   []byte

	// RetryAfter is the header of that name, in any answer.
	RetryAfter string

	// ContentType replaces the media type of any answer. Empty means the
	// handler's, or application/json for Status and Body.
	ContentType string

	// Oversized puts 2 MiB of white space before any answer. JSON allows it, so
	// a client that bounds an answer's length fails, and another succeeds.
	Oversized bool

	// Answer changes the members of a successful (2xx) JSON answer: it may
	// remove, replace and add. Numbers are json.Number. The order of the
	// members is lost.
	Answer func(fields map[string]any)

	// Extra is for faults that only this server has: its handlers read it from
	// Exchange.Fault.
	Extra any
}

// Inject makes the endpoint fail as f says, from the next request on. Faults of
// an endpoint happen in the order in which they were injected, one per request.
// Undo removes the fault; requests under way keep it. Inject panics on an
// endpoint that no Handle named.
func (s *Server) Inject(e Endpoint, f Fault) (undo func()) {
	if !s.Knows(e) {
		panic(fmt.Sprintf("%s: Inject: no endpoint %q", s.config.Name, e))
	}
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	queued := &queuedFault{e, f}
	s.faults.queue = append(s.faults.queue, queued)
	return func() { s.faults.remove(queued) }
}

// ClearFaults removes every fault that has not happened yet. Requests under way
// keep theirs.
func (s *Server) ClearFaults() {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.queue = nil
}

type faultQueue struct {
	mu    sync.Mutex
	queue []*queuedFault
}

func (q *faultQueue) remove(f *queuedFault) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.queue = slices.DeleteFunc(q.queue, func(queued *queuedFault) bool { return queued == f })
}

type queuedFault struct {
	endpoint Endpoint
	fault    Fault
}

func (f *queuedFault) appliesTo(r *Request) bool {
	return f.endpoint == r.Endpoint && (f.fault.If == nil || f.fault.If(*r))
}

// take returns the fault of a request that arrived, and decrements its Times.
// At 0, which is also the initial value for one request, it removes the fault.
func (q *faultQueue) take(arrived *Request) Fault {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.IndexFunc(q.queue, func(f *queuedFault) bool { return f.appliesTo(arrived) })
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

// answerInstead writes the answer of a fault with a Status or Body.
func (f Fault) answerInstead(out *httptest.ResponseRecorder) {
	out.Header().Set("Content-Type", "application/json")
	if f.Status != 0 {
		out.WriteHeader(f.Status)
	}
	_, _ = out.Write(f.Body) // a buffer never fails
}

// distort changes a complete answer.
func (f Fault) distort(out *httptest.ResponseRecorder) {
	if f.Answer != nil && out.Code/100 == http.StatusOK/100 {
		if fields, ok := decodeObject(out.Body.Bytes()); ok {
			f.Answer(fields)
			out.Body.Reset()
			out.Body.Write(encodeJSON(fields))
		}
	}
	if f.RetryAfter != "" {
		out.Header().Set("Retry-After", f.RetryAfter)
	}
	if f.ContentType != "" {
		out.Header().Set("Content-Type", f.ContentType)
	}
	if f.Oversized {
		body := slices.Clone(out.Body.Bytes())
		out.Body.Reset()
		out.Body.Write(bytes.Repeat([]byte(" "), oversize))
		out.Body.Write(body)
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
