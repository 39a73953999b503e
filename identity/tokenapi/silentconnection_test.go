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
	"sync/atomic"
	"testing"
	"time"

	"b2trader.identity.auth/identity/tokenapi"
)

// A relay passes connections on to a server. Once it swallows, the connections
// it has stay open but pass nothing on; new ones work.
type relay struct {
	net.Listener
	server  string
	silence atomic.Pointer[chan struct{}] // closed for the connections that are silent
}

func startRelay(t *testing.T, server string) *relay {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{Listener: listener, server: server}
	r.renew()
	var connections sync.WaitGroup
	t.Cleanup(connections.Wait)
	t.Cleanup(func() { _ = listener.Close() })
	connections.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			connections.Go(func() { r.pass(client, *r.silence.Load()) })
		}
	})
	return r
}

func (r *relay) renew() {
	silent := make(chan struct{})
	r.silence.Store(&silent)
}

// swallow silences the connections that are open.
func (r *relay) swallow() {
	close(*r.silence.Load())
	r.renew()
}

func (r *relay) pass(client net.Conn, silent chan struct{}) {
	defer func() { _ = client.Close() }()
	server, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", r.server)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	go func() { _, _ = io.Copy(silencer{client, silent}, server) }()
	_, _ = io.Copy(silencer{server, silent}, client)
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
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	r := startRelay(t, server.Listener.Addr().String())
	transport, ok := (tokenapi.HTTP{}).WithDefaults().Transport.(*http.Transport)
	if !ok {
		t.Fatal("the default Transport is not an *http.Transport")
	}
	t.Cleanup(transport.CloseIdleConnections)
	transport.HTTP2.SendPingTimeout /= 20
	transport.HTTP2.PingTimeout /= 20
	transport.TLSClientConfig = &tls.Config{RootCAs: server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs, ServerName: "example.com"}
	get := func() error {
		ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+r.Addr().String(), nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := transport.RoundTrip(req)
		if err != nil {
			return err
		}
		_ = resp.Body.Close()
		if resp.ProtoMajor != 2 {
			t.Errorf("the answer came by %s, want HTTP/2", resp.Proto)
		}
		return nil
	}
	if err := get(); err != nil {
		t.Fatal(err)
	}
	r.swallow()
	if err := get(); err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("request on a silent connection = %v, want an error of the connection", err)
	}
	if err := get(); err != nil {
		t.Errorf("request after the silent connection = %v, want a new connection", err)
	}
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
