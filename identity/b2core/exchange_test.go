package b2core_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/b2core"
	"b2trader.identity.auth/identity/b2core/b2coretest"
	"b2trader.identity.auth/identity/tokenapi"
)

// A request or an answer that is lost: the request may have been carried out, and is not repeated.
func TestLostExchanges(t *testing.T) {
	for name, fault := range map[string]apitest.Fault{
		"request": {LoseRequest: true},
		"answer":  {LoseAnswer: true},
	} {
		for op, o := range calls {
			inBubble(t, func(t *testing.T, server *b2coretest.Server, client *b2core.Client) {
				old := signIn(t, server, client)
				before := server.Count(o.endpoint)
				server.Inject(o.endpoint, fault)
				token, err := o.call(t.Context(), client, old)
				if e := wantError(t, err, tokenapi.ErrUnavailable); token != nil || !e.Sent || !e.Unanswered() || e.Op != op {
					t.Errorf("%s: lost %s: got %#v", op, name, e)
				}
				if n := server.Count(o.endpoint) - before; n != 1 {
					t.Errorf("%s: lost %s: %d requests", op, name, n)
				}
				if token, err = client.Refresh(t.Context(), old); err != nil { // by the refresh token, or without it if it is spent
					t.Fatal(err)
				}
				accepts(t, server, token)
			})
		}
	}
}

// Over sockets too nothing is repeated, though the connection is one that was used before.
func TestLostExchangesOverSockets(t *testing.T) {
	server := b2coretest.Start(t, b2coretest.Config{})
	client := newClient(t, server, func(c *b2core.Config) { c.URL, c.HTTP.Transport = server.URL(), nil })
	old := signIn(t, server, client)
	for _, o := range calls {
		before := server.Count(o.endpoint)
		server.Inject(o.endpoint, apitest.Fault{LoseAnswer: true})
		_, err := o.call(t.Context(), client, old)
		if e := wantError(t, err, tokenapi.ErrUnavailable); !e.Unanswered() {
			t.Errorf("got %#v", e)
		}
		if n := server.Count(o.endpoint) - before; n != 1 {
			t.Errorf("%d requests", n)
		}
	}
}

// A request that never left may be repeated by who wants to.
func TestNotSent(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.Close() // so that nobody answers there
	server := newServer(t, b2coretest.Config{})
	client := newClient(t, server, func(c *b2core.Config) { c.URL, c.HTTP.Transport = "http://"+listener.Addr().String(), nil })
	_, err = client.SignIn(t.Context())
	if e := wantError(t, err, tokenapi.ErrUnavailable); e.Sent || !e.NotSent() {
		t.Errorf("got %#v", e)
	}
}

// A server that takes longer than Timeout, or than the caller's patience.
func TestPatience(t *testing.T) {
	for op, o := range calls {
		inBubble(t, func(t *testing.T, server *b2coretest.Server, client *b2core.Client) {
			old := signIn(t, server, client)
			for name, c := range map[string]struct {
				patience, want time.Duration
			}{
				"Timeout":     {time.Hour, 20 * time.Second},
				"the context": {5 * time.Second, 5 * time.Second},
			} {
				server.Inject(o.endpoint, apitest.Fault{DelayBefore: time.Minute})
				ctx, cancel := context.WithTimeout(t.Context(), c.patience)
				began := time.Now()
				_, err := o.call(ctx, client, old)
				cancel()
				e := wantError(t, err, tokenapi.ErrUnavailable)
				if !errors.Is(err, context.DeadlineExceeded) || !e.Sent || time.Since(began) != c.want {
					t.Errorf("%s: %s: got %v after %v", op, name, err, time.Since(began))
				}
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			_, err := o.call(ctx, client, old)
			if wantError(t, err, tokenapi.ErrUnavailable); !errors.Is(err, context.Canceled) {
				t.Errorf("%s: got %v", op, err)
			}
		}, func(c *b2core.Config) { c.HTTP.Timeout = 20 * time.Second })
	}
}

// A redirect is not followed, least of all with the bearer.
func TestRedirectsAreNotFollowed(t *testing.T) {
	server := b2coretest.Start(t, b2coretest.Config{})
	for _, status := range []int{http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect} {
		front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, server.URL()+r.URL.Path, status)
		}))
		defer front.Close()
		client := newClient(t, server, func(c *b2core.Config) { c.URL, c.HTTP.Transport = front.URL, nil })
		for _, o := range calls {
			_, err := o.call(t.Context(), client, client.FirstToken())
			if e := wantError(t, err, tokenapi.ErrUnusableAnswer); e.StatusCode != status {
				t.Errorf("got %#v", e)
			}
		}
	}
	asked(t, server, 0, 0)
}

// A Client may be used by many at once.
func TestConcurrentUse(t *testing.T) {
	server, client := open(t)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			token, err := client.SignIn(t.Context())
			if err == nil {
				token, err = client.Refresh(t.Context(), token)
			}
			if err != nil || token.AccessToken == "" {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	asked(t, server, 20, 20)
}
