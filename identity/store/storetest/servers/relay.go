package servers

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"
)

// A Relay is an address that leads to a server, and later to another, like a
// name whose entry in the DNS changes.
type Relay struct {
	Addr string

	mu     sync.Mutex
	target string
	silent chan struct{} // closed when bytes pass again; nil: they pass
}

// StartRelay starts a Relay that leads to target until the test ends.
func StartRelay(tb testing.TB, target string) *Relay {
	tb.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	r := &Relay{Addr: listener.Addr().String(), target: target}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	tb.Cleanup(func() {
		_ = listener.Close()
		cancel()
		running.Wait()
	})
	running.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() { r.serve(ctx, client) })
		}
	})
	return r
}

// Lead makes new connections lead to target. Open connections stay.
func (r *Relay) Lead(target string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.target = target
}

// Silence holds all bytes back, of open connections and of new ones, as a broken
// network does. Speak ends that.
func (r *Relay) Silence() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.silent = make(chan struct{})
}

// Speak passes the bytes on that Silence held back, and all later ones.
func (r *Relay) Speak() {
	r.mu.Lock()
	defer r.mu.Unlock()
	close(r.silent)
	r.silent = nil
}

// A gate reads from a connection unless the Relay is silent.
type gate struct {
	net.Conn
	relay *Relay
	ctx   context.Context //nolint:containedctx // of the relay
}

func (g gate) Read(b []byte) (int, error) {
	n, err := g.Conn.Read(b)
	g.relay.mu.Lock()
	silent := g.relay.silent
	g.relay.mu.Unlock()
	if silent != nil {
		select {
		case <-silent:
		case <-g.ctx.Done():
			return 0, g.ctx.Err()
		}
	}
	return n, err
}

func (r *Relay) serve(ctx context.Context, client net.Conn) {
	r.mu.Lock()
	target := r.target
	r.mu.Unlock()
	server, err := dial(target)
	if err != nil {
		_ = client.Close()
		return
	}
	closeBoth := func() {
		_ = client.Close()
		_ = server.Close()
	}
	defer closeBoth()
	defer context.AfterFunc(ctx, closeBoth)()
	go func() {
		defer closeBoth()
		_, _ = io.Copy(server, gate{client, r, ctx})
	}()
	_, _ = io.Copy(client, gate{server, r, ctx})
}
