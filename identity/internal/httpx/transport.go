package httpx

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"slices"
	"sync/atomic"
	"time"

	"b2trader.identity.auth/identity/tokenapi"
)

// MaxAnswer is the length in bytes that an answer's body may have. A longer
// body is an error; it is never truncated.
const MaxAnswer = 1 << 20

// ErrTooLarge means that an answer's body is longer than MaxAnswer.
var ErrTooLarge = fmt.Errorf("the answer is longer than %d bytes", MaxAnswer)

// A Fault is the error of an exchange without a complete answer.
type Fault struct {
	Sent bool // whether the peer may have received the request
	Err  error
}

func (f *Fault) Error() string { return f.Err.Error() }

// Unwrap returns the cause.
func (f *Fault) Unwrap() error { return f.Err }

// An Answer is the peer's complete answer.
type Answer struct {
	StatusCode int
	Header     http.Header
	Body       []byte
}

// Transport is the http.RoundTripper of one operation. It reads each answer to
// its end, so that Timeout covers the body too, and keeps the last answer for
// callers that need more than a library's error. It is not safe for concurrent
// use: each operation has its own.
type Transport struct {
	Base    http.RoundTripper
	Timeout time.Duration // of one exchange, body included
	Op      string        // the operation, for observers
	Observe func(context.Context, tokenapi.Exchange)
	Now     func() time.Time
	Secrets []string // that the operation sends, to which those in headers are added; observers do not see them
	Clock   *Clock   // learns from the answers; nil: none

	Last   Answer    // of the last exchange; zero if it had none
	Path   string    // of the last request's URL, not redacted
	Target string    // that URL without user info, query and fragment, not redacted
	Sent   time.Time // when the last exchange began
}

// RoundTrip sends the request once. Its errors are of type *Fault.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	t.Last, t.Sent, t.Path, t.Target = Answer{}, t.Now(), req.URL.EscapedPath(), WithoutQuery(req.URL)
	t.Secrets = append(slices.Clip(t.Secrets), sentSecrets(req)...)
	resp, err := t.exchange(req)
	if err == nil {
		t.Clock.answered(req.Method, resp.StatusCode, resp.Header.Get("Date"), t.Sent, t.Now())
	}
	if t.Observe != nil {
		t.Observe(req.Context(), t.describe(req, err))
	}
	return resp, err
}

func (t *Transport) exchange(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(req.Context(), t.Timeout)
	defer cancel()
	var p progress
	resp, err := t.Base.RoundTrip(oneAttempt(req.WithContext(httptrace.WithClientTrace(ctx, p.trace()))))
	if err != nil {
		return nil, &Fault{Sent: p.sent(err), Err: err}
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, MaxAnswer+1))
	_ = resp.Body.Close() // nothing more is read
	if err != nil {
		return nil, &Fault{Sent: true, Err: fmt.Errorf("reading the answer: %w", err)}
	}
	if len(body) > MaxAnswer {
		return nil, &Fault{Sent: true, Err: ErrTooLarge}
	}
	t.Last = Answer{resp.StatusCode, resp.Header, body}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// oneAttempt makes net/http send req at most once. net/http repeats a GET whose
// connection was cut, although the server may have carried it out and used up a
// token that works once. It does not repeat a request with a body that it
// cannot get again, so req, a copy, gets an empty one.
func oneAttempt(req *http.Request) *http.Request {
	if req.Method == http.MethodGet && (req.Body == nil || req.Body == http.NoBody) {
		req.Body, req.GetBody = io.NopCloser(bytes.NewReader(nil)), nil
	}
	return req
}

// progress records how far a request got. The Base may report from other
// goroutines.
type progress struct{ traced, wrote atomic.Bool }

func (p *progress) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn:      func(string) { p.traced.Store(true) },
		WroteHeaders: func() { p.wrote.Store(true) },
	}
}

// sent reports whether the peer may have received the request that failed with
// err. It returns true for a Base that does not report its progress.
func (p *progress) sent(err error) bool {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return false
	}
	return p.wrote.Load() || !p.traced.Load()
}
