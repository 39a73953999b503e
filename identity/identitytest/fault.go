package identitytest

import (
	"fmt"
	"time"

	"b2trader.identity.auth/identity/apitest"
)

// Fault is a failure on command. Its fields can be combined. The zero Fault
// does nothing.
type Fault struct {
	// Times is the number of requests with this fault. 0 means one; negative
	// means all until ClearFaults.
	Times int

	// Grant limits a fault of EndpointToken to requests with this grant_type.
	Grant string

	// DelayBefore passes before the request is processed. If the client
	// disconnects meanwhile, the request is never processed.
	DelayBefore time.Duration

	// DelayAfter passes between processing and answering. If the client
	// disconnects meanwhile, the request stays processed: a refresh token is
	// used up.
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

	// ContentType replaces the media type of any answer.
	ContentType string

	// Oversized puts 2 MiB of white space before any answer. JSON allows it, so
	// a client that bounds an answer's length fails, and another succeeds.
	Oversized bool

	// Answer changes the members of a successful (2xx) JSON answer: it may
	// remove, replace and add. Numbers are json.Number. The order of the
	// members is lost.
	Answer func(fields map[string]any)

	// IDToken breaks the ID tokens of EndpointToken.
	IDToken IDTokenFault

	// Redirect is the target of EndpointAuthorize for any request.
	Redirect string

	// ErrorCode makes EndpointAuthorize send this error to the redirect URI
	// instead of a code.
	ErrorCode string

	// WrongState and NoState make EndpointAuthorize answer with another state,
	// or none.
	WrongState, NoState bool
}

// Inject makes the endpoint fail as f says, from the next request on. Faults of
// an endpoint happen in the order in which they were injected, one per request.
// It panics on an endpoint or an ID token fault that does not exist.
func (s *Server) Inject(e Endpoint, f Fault) {
	if _, ok := idTokenFaults[f.IDToken]; f.IDToken != "" && !ok {
		panic(fmt.Sprintf("identitytest: Inject: no ID token fault %q", f.IDToken))
	}
	s.api.Inject(e, f.common())
}

// ClearFaults removes every fault that has not happened yet. Requests under way
// keep theirs.
func (s *Server) ClearFaults() { s.api.ClearFaults() }

// common returns f as a fault of package apitest, with f in Extra for the
// faults of this server only.
func (f Fault) common() apitest.Fault {
	common := apitest.Fault{
		Times:       f.Times,
		DelayBefore: f.DelayBefore,
		DelayAfter:  f.DelayAfter,
		LoseRequest: f.LoseRequest,
		LoseAnswer:  f.LoseAnswer,
		Status:      f.Status,
		Body:        f.Body,
		RetryAfter:  f.RetryAfter,
		ContentType: f.ContentType,
		Oversized:   f.Oversized,
		Answer:      f.Answer,
		Extra:       f,
	}
	if f.Grant != "" {
		common.If = func(r Request) bool { return r.Form.Get("grant_type") == f.Grant }
	}
	if f.ContentType == "" && (f.Status != 0 || f.Body != nil) {
		common.ContentType = identityServerJSON
	}
	return common
}
