package apitest

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
)

// Transport returns a RoundTripper that passes requests to the server without a
// socket, whatever their host is. With it a client works inside a
// testing/synctest bubble, where the server's delays pass in virtual time. A
// [Fault] that cuts the connection is io.ErrUnexpectedEOF. Answers are complete
// when RoundTrip returns; nothing is streamed.
func (s *Server) Transport() http.RoundTripper { return memoryTransport{s} }

type memoryTransport struct{ server *Server }

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
	out, done := httptest.NewRecorder(), make(chan error, 1)
	go t.serve(out, incoming(ctx, r, body), done)
	select {
	case err := <-done:
		if err != nil {
			return nil, err
		}
		answer := out.Result()
		answer.Request, answer.ContentLength = r, int64(out.Body.Len())
		return answer, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (t memoryTransport) serve(out *httptest.ResponseRecorder, r *http.Request, done chan<- error) {
	err := io.ErrUnexpectedEOF
	defer func() {
		if p := recover(); p != nil {
			if cut, ok := p.(error); !ok || !errors.Is(cut, http.ErrAbortHandler) {
				panic(p)
			}
		}
		done <- err
	}()
	t.server.ServeHTTP(out, r)
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
