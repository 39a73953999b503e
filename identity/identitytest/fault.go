package identitytest

import (
	"fmt"
	"time"

	"b2trader.identity.auth/identity/apitest"
)

// Fault is a failure on command. Its fields can be combined. The zero Fault
// does nothing.
type Fault struct {
	// Grant and Client limit a fault of EndpointToken to requests with this
	// grant_type, and of the client with this ID.
	Grant, Client string

	// These fields are those of apitest.Fault: how many requests have the fault,
	// the delays around processing, a connection cut before or after it, an
	// answer in place of processing, and changes to any answer.
	Times                   int
	DelayBefore, DelayAfter time.Duration
	LoseRequest, LoseAnswer bool
	Status                  int
	Body                    []byte
	RetryAfter, ContentType string
	Oversized               bool
	Answer                  func(fields map[string]any)

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
// Undo removes the fault; requests under way keep it. Inject panics where
// CheckFault returns an error.
func (s *Server) Inject(e Endpoint, f Fault) (undo func()) {
	if err := s.CheckFault(e, f); err != nil {
		panic(err.Error())
	}
	return s.api.Inject(e, f.common())
}

// CheckFault returns an error for an endpoint or an ID token fault that does
// not exist.
func (s *Server) CheckFault(e Endpoint, f Fault) error {
	if !s.api.Knows(e) {
		return fmt.Errorf("identitytest: Inject: no endpoint %q", e)
	}
	if _, ok := idTokenFaults[f.IDToken]; f.IDToken != "" && !ok {
		return fmt.Errorf("identitytest: Inject: no ID token fault %q", f.IDToken)
	}
	return nil
}

// ClearFaults removes every fault that has not happened yet. Requests under way
// keep theirs.
func (s *Server) ClearFaults() { s.api.ClearFaults() }

// concerns reports whether a request has the Grant and the Client.
func (f Fault) concerns(r Request) bool {
	client, _ := clientCredentials(r.Header, r.Form)
	return (f.Grant == "" || r.Form.Get("grant_type") == f.Grant) && (f.Client == "" || client.id == f.Client)
}

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
	if f.Grant != "" || f.Client != "" {
		common.If = f.concerns
	}
	if f.ContentType == "" && (f.Status != 0 || f.Body != nil) {
		common.ContentType = identityServerJSON
	}
	return common
}
