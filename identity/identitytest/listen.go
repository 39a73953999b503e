package identitytest

import (
	"net"
	"testing"

	"b2trader.identity.auth/identity/apitest"
)

// Start runs a server for the duration of a test, on a free port of 127.0.0.1.
// A bad cfg fails the test. The server is closed, connections cut, when the
// test ends.
func Start(tb testing.TB, cfg Config) *Server {
	tb.Helper()
	s, err := New(cfg)
	return apitest.Serve(tb, s, err)
}

// Listen opens a listener on addr, "127.0.0.1:0" for a free port, and sets URL.
// An address without a host or beyond loopback is an error. The caller serves,
// for example with http.Serve(listener, s), and closes the listener.
func (s *Server) Listen(addr string) (net.Listener, error) { return s.api.Listen(addr) }

// URL returns the origin of the server's listener, such as
// http://127.0.0.1:40123, without /identity. It is empty before Listen.
func (s *Server) URL() string { return s.api.URL() }
