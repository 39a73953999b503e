package tokenapi_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/tokenapi"
)

// A relay is a listener of connections in memory, which it passes on, so that
// time can be virtual. Once it swallows, the connections that it has stay open
// but pass nothing on; new ones work.
type relay struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
	silent chan struct{} // closed for the connections that are silent
}

func (r *relay) Accept() (net.Conn, error) {
	select {
	case c := <-r.conns:
		return c, nil
	case <-r.closed:
		return nil, net.ErrClosed
	}
}

func (r *relay) Close() error   { r.once.Do(func() { close(r.closed) }); return nil }
func (r *relay) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 443} }

// dial is http.Transport.DialContext.
func (r *relay) dial(context.Context, string, string) (net.Conn, error) {
	client, fromClient := net.Pipe()
	toServer, server := net.Pipe()
	pass := func(to, from net.Conn, silent chan struct{}) {
		_, _ = io.Copy(silencer{to, silent}, from)
		_ = to.Close()
	}
	go pass(toServer, fromClient, r.silent)
	go pass(fromClient, toServer, r.silent)
	r.conns <- server
	return client, nil
}

// swallow silences the connections that are open.
func (r *relay) swallow() {
	close(r.silent)
	r.silent = make(chan struct{})
}

// A silencer drops what is written after silent is closed.
type silencer struct {
	io.Writer
	silent chan struct{}
}

func (s silencer) Write(b []byte) (int, error) {
	select {
	case <-s.silent:
		return len(b), nil
	default:
		return s.Writer.Write(b)
	}
}

// field 3: a silent HTTP/2 connection is found out by a ping, long before the
// timeout of the exchange, and the next request uses another connection.
func TestSilentConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &relay{conns: make(chan net.Conn), closed: make(chan struct{}), silent: make(chan struct{})}
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		_ = server.Listener.Close()
		server.Listener, server.EnableHTTP2 = r, true
		server.StartTLS()
		defer server.Close()
		transport, ok := (tokenapi.HTTP{}).WithDefaults().Transport.(*http.Transport)
		if !ok {
			t.Fatal("the default Transport is not an *http.Transport")
		}
		defer transport.CloseIdleConnections()
		transport.DialContext = r.dial
		transport.TLSClientConfig = &tls.Config{RootCAs: server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs, ServerName: "example.com"}
		get := func() (time.Duration, error) {
			ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
			defer cancel()
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			resp, err := transport.RoundTrip(req)
			if err != nil {
				return time.Since(began), err
			}
			_ = resp.Body.Close()
			if resp.ProtoMajor != 2 {
				t.Errorf("the answer came by %s, want HTTP/2", resp.Proto)
			}
			return time.Since(began), nil
		}
		if _, err := get(); err != nil {
			t.Fatal(err)
		}
		r.swallow()
		if took, err := get(); err == nil || errors.Is(err, context.DeadlineExceeded) || took > 10*time.Second {
			t.Errorf("request on a silent connection = %v after %v, want an error of the connection after 10 s at most", err, took)
		}
		if _, err := get(); err != nil {
			t.Errorf("request after the silent connection = %v, want a new connection", err)
		}
	})
}

// field 4: idle connections end before the peer closes them.
func TestConnectionTimes(t *testing.T) {
	for name, made := range map[string]http.RoundTripper{"HTTP": (tokenapi.HTTP{}).WithDefaults().Transport, "APITransport": tokenapi.APITransport()} {
		transport, ok := made.(*http.Transport)
		if !ok {
			t.Fatalf("%s is a %T, want an *http.Transport", name, made)
		}
		if got := transport.IdleConnTimeout; got >= time.Minute {
			t.Errorf("%s: IdleConnTimeout = %v, want less than the 60 s of common servers", name, got)
		}
		if got := transport.HTTP2.SendPingTimeout + transport.HTTP2.PingTimeout; got <= 0 || got > 10*time.Second {
			t.Errorf("%s: a silent connection is found out after %v, want at most 10 s", name, got)
		}
	}
	if tokenapi.APITransport() != tokenapi.APITransport() {
		t.Error("two calls of APITransport have two transports, want one")
	}
}
