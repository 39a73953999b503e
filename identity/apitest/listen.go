package apitest

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"testing"
	"time"

	"b2trader.identity.auth/identity/internal/checkconfig"
)

// Servable is a Server, or a test server that is built on one.
type Servable interface {
	http.Handler
	Listen(addr string) (net.Listener, error)
}

// Serve runs s for the duration of a test, on a free port of 127.0.0.1, which
// its URL names. It closes s and cuts the connections when the test ends. The
// err is that of the constructor of s; it fails the test.
func Serve[S Servable](tb testing.TB, s S, err error) S {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
	listener, err := s.Listen("127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	server := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	tb.Cleanup(func() {
		_ = server.Close() // the test is over
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			tb.Errorf("apitest: serving: %v", err)
		}
	})
	return s
}

// Listen opens a listener on addr, "127.0.0.1:0" for a free port, and sets URL.
// An address without a host or beyond loopback is an error. The caller serves,
// for example with http.Serve(listener, s), and closes the listener.
func (s *Server) Listen(addr string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.config.Name, err)
	}
	if !checkconfig.IsLoopback(host) {
		return nil, fmt.Errorf("%s: %s is not a loopback address: this server is for tests only", s.config.Name, addr)
	}
	// Only localhost is looked up, which needs no context.
	listener, err := net.Listen("tcp", addr) //nolint:noctx // see above
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.config.Name, err)
	}
	if local, ok := listener.Addr().(*net.TCPAddr); !ok || !local.IP.IsLoopback() {
		_ = listener.Close() // never used
		return nil, fmt.Errorf("%s: %s is not on loopback: this server is for tests only", s.config.Name, addr)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.url = "http://" + listener.Addr().String()
	return listener, nil
}

// URL returns the origin of the server's listener, such as
// http://127.0.0.1:40123, without a path. It is empty before Listen.
func (s *Server) URL() string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.url
}
