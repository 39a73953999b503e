package apitest

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// Transport returns a RoundTripper that passes requests to the server without a
// socket, whatever their host is. With it a client works inside a
// testing/synctest bubble, where the server's delays pass in virtual time. A
// [Fault] that cuts the connection is io.ErrUnexpectedEOF. Answers are complete
// when RoundTrip returns; nothing is streamed.
func (s *Server) Transport() http.RoundTripper { return memoryTransport{s} }

type memoryTransport struct{ server *Server }

// outcome is the result of the handler's goroutine.
type outcome struct {
	answer *answer
	err    error
}

// RoundTrip implements http.RoundTripper.
func (t memoryTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		body, err = io.ReadAll(r.Body)
		_ = r.Body.Close() // RoundTrip must close it
		if err != nil {
			return nil, fmt.Errorf("%s: reading the request body: %w", t.server.config.Name, err)
		}
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	done := make(chan outcome, 1)
	go t.serve(incoming(ctx, r, body), done)
	select {
	case o := <-done:
		if o.err != nil {
			return nil, o.err
		}
		return o.answer.response(r), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (t memoryTransport) serve(r *http.Request, done chan<- outcome) {
	var out answer
	err := io.ErrUnexpectedEOF
	defer func() {
		if p := recover(); p != nil {
			if cut, ok := p.(error); !ok || !errors.Is(cut, http.ErrAbortHandler) {
				panic(p)
			}
		}
		done <- outcome{&out, err}
	}()
	t.server.ServeHTTP(&out, r)
	err = nil
}

// incoming returns a client's request in the form that a handler gets.
func incoming(ctx context.Context, r *http.Request, body []byte) *http.Request {
	// The context of a client inside another server's handler has the address
	// of that connection.
	in := r.Clone(context.WithValue(ctx, http.LocalAddrContextKey, nil))
	in.Body = io.NopCloser(bytes.NewReader(body))
	in.ContentLength = int64(len(body))
	in.Proto, in.ProtoMajor, in.ProtoMinor = "HTTP/1.1", 1, 1
	in.RemoteAddr = "127.0.0.1:1"
	in.RequestURI = r.URL.RequestURI()
	if in.Host == "" {
		in.Host = r.URL.Host
	}
	in.TLS = nil // of the request that r was made from
	if r.URL.Scheme == "https" {
		in.TLS = &tls.ConnectionState{}
	}
	return in
}

func (a *answer) response(r *http.Request) *http.Response {
	return &http.Response{
		Status:        strconv.Itoa(a.status) + " " + http.StatusText(a.status),
		StatusCode:    a.status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        a.Header().Clone(),
		Body:          io.NopCloser(bytes.NewReader(a.body.Bytes())),
		ContentLength: int64(a.body.Len()),
		Request:       r,
	}
}
