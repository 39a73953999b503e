// Package httpx does one HTTP exchange at a time: bounded in time and bytes, never sent twice,
// and described to observers with every secret already removed.
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
	"sync/atomic"
	"time"

	"b2trader.identity.auth/identity/tokenapi"
)

// MaxAnswer is the number of bytes of an answer's body that are read. A longer body is an error, not a truncated answer.
const MaxAnswer = 1 << 20

// ErrTooLarge says that an answer's body is longer than MaxAnswer.
var ErrTooLarge = fmt.Errorf("the answer is longer than %d bytes", MaxAnswer)

// A Fault is an exchange that brought no complete answer.
type Fault struct {
	Sent bool // whether the peer may have received the request
	Err  error
}

func (f *Fault) Error() string { return f.Err.Error() }

// Unwrap returns what went wrong.
func (f *Fault) Unwrap() error { return f.Err }

// An Answer is what the peer sent back, read to its end.
type Answer struct {
	StatusCode int
	Header     http.Header
	Body       []byte
}

// Transport is the http.RoundTripper of one operation. It reads each answer to its end before it returns,
// so that Timeout covers the body too, and remembers the last answer for those who must look behind a library's error.
// It is not safe for concurrent use; make one for each operation.
type Transport struct {
	Base    http.RoundTripper
	Timeout time.Duration // of one exchange, body included
	Op      string        // the operation, for observers
	Observe func(context.Context, tokenapi.Exchange)
	Now     func() time.Time
	Secrets []string // that the operation sends, to be kept from observers

	Last Answer    // the answer of the last exchange; zero if it brought none
	Sent time.Time // when the last exchange began
}

// RoundTrip sends the request once. Its errors are of type *Fault.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	t.Last, t.Sent = Answer{}, t.Now()
	resp, err := t.exchange(req)
	if t.Observe != nil {
		t.Observe(req.Context(), t.describe(req, err))
	}
	return resp, err
}

func (t *Transport) exchange(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(req.Context(), t.Timeout)
	defer cancel()
	var w wire
	resp, err := t.Base.RoundTrip(once(req.WithContext(httptrace.WithClientTrace(ctx, w.trace()))))
	if err != nil {
		return nil, &Fault{Sent: w.sent(err), Err: err}
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, MaxAnswer+1))
	_ = resp.Body.Close() // read to its end, or not wanted
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

// once keeps net/http from repeating a GET whose connection was cut: the server may have carried it out. net/http repeats
// what has no body to lose, so the copy of req has one, though it is empty and nothing of it is sent.
func once(req *http.Request) *http.Request {
	if req.Method == http.MethodGet && (req.Body == nil || req.Body == http.NoBody) {
		req.Body, req.GetBody = io.NopCloser(bytes.NewReader(nil)), nil
	}
	return req
}

// wire watches how far a request got. The transport may report from other goroutines.
type wire struct{ traced, wrote atomic.Bool }

func (w *wire) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn:      func(string) { w.traced.Store(true) },
		WroteHeaders: func() { w.wrote.Store(true) },
	}
}

// sent reports whether the peer may have received the request. In doubt, as with a RoundTripper that does not
// report its progress, it may have.
func (w *wire) sent(err error) bool {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return false
	}
	return w.wrote.Load() || !w.traced.Load()
}
