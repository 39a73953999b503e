package traderevolution_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/internal/clienttest"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/traderevolution"
	"b2trader.identity.auth/identity/traderevolution/traderevolutiontest"
)

// req 16, 19, 54: every request is sent once, whatever becomes of it, and the error says whether it may have been carried out.
func TestLost(t *testing.T) {
	for name, fault := range map[string]apitest.Fault{
		"request": {LoseRequest: true}, "answer": {LoseAnswer: true},
	} {
		for _, op := range operations {
			inBubble(t, func(t *testing.T, server *traderevolutiontest.Server, client *traderevolution.Client) {
				server.Inject(op.endpoint, fault)
				e := wantError(t, op.call(t, client), tokenapi.ErrUnavailable)
				if !e.Unanswered() || e.NotSent() || e.StatusCode != 0 || server.Count(op.endpoint) != 1 {
					t.Errorf("%s, lost %s: got %#v after %d requests", op.name, name, e, server.Count(op.endpoint))
				}
			})
		}
	}
}

func TestNobodyListens(t *testing.T) {
	client := newClient(t, "http://127.0.0.1:1/rest")
	for _, op := range operations {
		if e := wantError(t, op.call(t, client), tokenapi.ErrUnavailable); !e.NotSent() {
			t.Errorf("%s: got %#v", op.name, e)
		}
	}
}

func TestTimeout(t *testing.T) {
	short := func(c *traderevolution.Config) { c.HTTP.Timeout = 7 * time.Second }
	for _, op := range operations {
		inBubble(t, func(t *testing.T, server *traderevolutiontest.Server, client *traderevolution.Client) {
			server.Inject(op.endpoint, apitest.Fault{DelayAfter: time.Hour})
			began := time.Now()
			e := wantError(t, op.call(t, client), tokenapi.ErrUnavailable)
			if !e.Unanswered() || !errors.Is(e, context.DeadlineExceeded) || time.Since(began) != 7*time.Second {
				t.Errorf("%s: got %#v after %v", op.name, e, time.Since(began))
			}
		}, short)
	}
}

// A server that was given a refresh token may have spent it, so by default it has a minute to say so.
func TestTimeoutIsAMinute(t *testing.T) {
	inBubble(t, func(t *testing.T, server *traderevolutiontest.Server, client *traderevolution.Client) {
		old := signIn(t, client)
		server.Inject(traderevolutiontest.EndpointRefresh, apitest.Fault{DelayAfter: 59 * time.Second})
		if _, err := client.Refresh(t.Context(), old); err != nil {
			t.Error(err)
		}
	})
}

func TestContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := inMemory(t, traderevolutiontest.Config{})
		old := signIn(t, client)
		server.Inject(traderevolutiontest.EndpointRefresh, apitest.Fault{DelayAfter: time.Hour})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		_, err := client.Refresh(ctx, old)
		if e := wantError(t, err, tokenapi.ErrUnavailable); !errors.Is(e, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("got %v after %v", err, time.Since(began))
		}
	})
}

// req 20
func TestOversized(t *testing.T) {
	for _, op := range operations {
		for _, status := range []int{200, 401} {
			server, client := inMemory(t, traderevolutiontest.Config{})
			server.Inject(op.endpoint, apitest.Fault{Oversized: true, Status: status, Body: clienttest.Sample(t, "tokens.response.json")})
			if e := wantError(t, op.call(t, client), tokenapi.ErrUnusableAnswer); !e.Sent {
				t.Errorf("%s: got %#v", op.name, e)
			}
		}
	}
}

// A redirect is not followed: neither the password, nor the header token, nor a one-time token goes elsewhere.
func TestRedirectsAreNotFollowed(t *testing.T) {
	const elsewhere apitest.Endpoint = "elsewhere"
	for _, status := range []int{301, 302, 303, 307, 308} {
		server := apitest.New(apitest.Config{})
		server.Handle("/elsewhere", elsewhere, func(x *apitest.Exchange) { x.JSON(200, "application/json", "you have arrived") })
		server.Handle("/rest/*", "rest", func(x *apitest.Exchange) {
			x.Answer().Header().Set("Location", server.URL()+"/elsewhere")
			x.Status(status)
		})
		apitest.Serve(t, server, nil)
		client := newClient(t, server.URL()+"/rest")
		for _, op := range operations {
			if e := wantError(t, op.call(t, client), tokenapi.ErrUnusableAnswer); e.StatusCode != status {
				t.Errorf("%s: got %#v", op.name, e)
			}
		}
		if server.Count("rest") != len(operations) || server.Count(elsewhere) != 0 {
			t.Errorf("%d: %d requests, %d of them elsewhere", status, server.Count("rest"), server.Count(elsewhere))
		}
	}
}

// The token is what the API wants of it.
func TestTokensOpenTheAPI(t *testing.T) {
	server, client := start(t, traderevolutiontest.Config{})
	status := func(token *oauth2.Token) int {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.BaseURL()+traderevolutiontest.APIPath, nil)
		if err != nil {
			t.Fatal(err)
		}
		token.SetAuthHeader(r)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close() // the status will do
		return answer.StatusCode
	}
	token := signIn(t, client)
	if got := status(token); got != 200 {
		t.Errorf("signed in: got %d", got)
	}
	server.ExpireTokens()
	if got := status(token); got != 401 {
		t.Errorf("expired: got %d", got)
	}
	next, err := client.Refresh(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	if got := status(next); got != 200 {
		t.Errorf("renewed: got %d", got)
	}
}
