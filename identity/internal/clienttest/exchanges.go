package clienttest

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/tokenapi"
)

// An Operation is one call of a client C that sends one request.
type Operation[C any] struct {
	Name     string           // as its errors have it
	Endpoint apitest.Endpoint // that it asks, at the system's own test server
	Secrets  []string         // that it sends
	Call     func(ctx context.Context, t testing.TB, client C) error
}

// A Subject is a token API's client, to be checked by [Exchanges].
type Subject[C any] struct {
	System     string
	New        func(t testing.TB, http tokenapi.HTTP, url string) C
	Operations []Operation[C]
}

// Exchanges checks the rules that every client keeps, whatever its API: a request is sent once and goes nowhere else, an answer is
// bounded in time and bytes, and the error tells how far the request got and no secret (req 16, 17, 19, 20, 54, 123).
func Exchanges[C any](t *testing.T, s Subject[C]) {
	t.Helper()
	for name, rule := range map[string]func(*testing.T, Operation[C]){
		"trials": s.trials, "nobody listens": s.nobodyListens, "used connection": s.usedConnection,
		"redirects": s.redirects, "echo": s.echo, "broken transport": s.brokenTransport,
	} {
		for _, op := range s.Operations {
			t.Run(name+"/"+op.Name, func(t *testing.T) { rule(t, op) })
		}
	}
}

// peer is the API's URL where there is no socket, and anything its only endpoint.
const (
	peer                      = "https://api.example"
	anything apitest.Endpoint = "anything"
)

// unavailable is an API that answers 503.
func unavailable() *apitest.Server {
	server := apitest.New(apitest.Config{Name: "clienttest"})
	server.Handle("/*", anything, func(x *apitest.Exchange) { x.Status(http.StatusServiceUnavailable) })
	return server
}

// wantError checks that err is the operation's and wraps want, without its secrets.
func (s Subject[C]) wantError(t testing.TB, op Operation[C], err, want error) *tokenapi.Error {
	t.Helper()
	e := WantError(t, s.System, err, want)
	if e.Op != op.Name {
		t.Errorf("got %v, want an error of %s", e, op.Name)
	}
	Hides(t, err, op.Secrets...)
	return e
}

// A trial is a fault that a request meets, and what comes of it: by default ErrUnavailable, at once, and no answer.
type trial struct {
	fault    apitest.Fault
	timeout  time.Duration // HTTP.Timeout
	deadline time.Duration // of the context; 0: none
	leaves   time.Duration // when the caller cancels it; 0: never

	after  time.Duration
	cause  error
	status int
	want   error
}

var (
	unread  = apitest.Fault{DelayBefore: time.Hour}
	late    = apitest.Fault{DelayAfter: time.Hour}
	expired = context.DeadlineExceeded
)

var trials = map[string]trial{
	"a lost request":              {fault: apitest.Fault{LoseRequest: true}},
	"a lost answer":               {fault: apitest.Fault{LoseAnswer: true}},
	"a request that waits":        {fault: unread, timeout: 7 * time.Second, after: 7 * time.Second, cause: expired},
	"an answer that is late":      {fault: late, timeout: 7 * time.Second, after: 7 * time.Second, cause: expired},
	"a caller of little patience": {fault: unread, deadline: 5 * time.Second, after: 5 * time.Second, cause: expired},
	"a caller who leaves":         {fault: late, leaves: 3 * time.Second, after: 3 * time.Second, cause: context.Canceled},

	// A server that was given a refresh token may have spent it, so by default it has a minute to say so.
	"more than a minute": {fault: late, after: time.Minute, cause: expired},
	"less than a minute": {fault: apitest.Fault{DelayAfter: 59 * time.Second}, after: 59 * time.Second, status: 503},

	// Who reads these to their end finds an answer, and its status.
	"an oversized yes": {fault: apitest.Fault{Oversized: true, Status: 200, Body: []byte("{}")}, want: tokenapi.ErrUnusableAnswer},
	"an oversized no":  {fault: apitest.Fault{Oversized: true, Status: 401, Body: []byte("{}")}, want: tokenapi.ErrUnusableAnswer},
}

func (s Subject[C]) trials(t *testing.T, op Operation[C]) {
	for name, c := range trials {
		synctest.Test(t, func(t *testing.T) {
			server := unavailable()
			server.Inject(anything, c.fault)
			client := s.New(t, tokenapi.HTTP{Transport: server.Transport(), Timeout: c.timeout}, peer)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if c.leaves > 0 {
				time.AfterFunc(c.leaves, cancel)
			}
			if c.deadline > 0 {
				ctx, cancel = context.WithTimeout(ctx, c.deadline)
				defer cancel()
			}
			want := c.want
			if want == nil {
				want = tokenapi.ErrUnavailable
			}
			began := time.Now()
			err := op.Call(ctx, t, client)
			e := s.wantError(t, op, err, want)
			if !e.Sent || e.StatusCode != c.status || e.Outcome().Kind == tokenapi.NotSent || e.Outcome().Kind == tokenapi.Refused || (e.Outcome().Kind == tokenapi.Unanswered) != (c.status == 0 && c.want == nil) {
				t.Errorf("%s: got %#v", name, e)
			}
			if time.Since(began) != c.after || c.cause != nil && !errors.Is(err, c.cause) {
				t.Errorf("%s: got %v after %v", name, err, time.Since(began))
			}
			if n := server.Count(anything); n != 1 {
				t.Errorf("%s: %d requests", name, n)
			}
		})
	}
}

// A request that never left may be repeated by who wants to.
func (s Subject[C]) nobodyListens(t *testing.T, op Operation[C]) {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	err := op.Call(t.Context(), t, s.New(t, tokenapi.HTTP{}, gone.URL))
	if e := s.wantError(t, op, err, tokenapi.ErrUnavailable); e.Sent || e.Outcome().Kind != tokenapi.NotSent {
		t.Errorf("got %#v", e)
	}
}

// net/http repeats a GET that met a cut connection, if the connection had been used before.
func (s Subject[C]) usedConnection(t *testing.T, op Operation[C]) {
	server := apitest.Serve(t, unavailable(), nil)
	client := s.New(t, tokenapi.HTTP{}, server.URL())
	const used = 3
	for range used {
		if e := s.wantError(t, op, op.Call(t.Context(), t, client), tokenapi.ErrUnavailable); e.StatusCode != http.StatusServiceUnavailable {
			t.Fatalf("got %#v", e)
		}
	}
	server.Inject(anything, apitest.Fault{LoseAnswer: true, Times: -1})
	e := s.wantError(t, op, op.Call(t.Context(), t, client), tokenapi.ErrUnavailable)
	if n := server.Count(anything) - used; n != 1 || e.Outcome().Kind != tokenapi.Unanswered {
		t.Errorf("the lost answer cost %d requests: %#v", n, e)
	}
}

// A redirect is not followed: no secret goes elsewhere.
func (s Subject[C]) redirects(t *testing.T, op Operation[C]) {
	const elsewhere = "elsewhere"
	for _, status := range []int{301, 302, 303, 307, 308} {
		server := apitest.New(apitest.Config{Name: "clienttest"})
		server.Handle("/elsewhere", elsewhere, func(x *apitest.Exchange) { x.JSON(http.StatusOK, "application/json", "you have arrived") })
		server.Handle("/*", anything, func(x *apitest.Exchange) {
			x.Answer().Header().Set("Location", "https://other.example/elsewhere?to=nobody")
			x.Status(status)
		})
		var seen []tokenapi.Exchange
		client := s.New(t, tokenapi.HTTP{Transport: server.Transport(), Observe: observing(&seen)}, peer)
		if e := s.wantError(t, op, op.Call(t.Context(), t, client), tokenapi.ErrUnusableAnswer); e.StatusCode != status || !e.Sent {
			t.Errorf("%d: got %#v", status, e)
		}
		if here, there := server.Count(anything), server.Count(elsewhere); here != 1 || there != 0 {
			t.Errorf("%d: %d requests, and %d elsewhere", status, here, there)
		}
		if len(seen) != 1 || seen[0].StatusCode != status || seen[0].Redirect != "https://other.example/elsewhere" {
			t.Errorf("%d: observed %+v", status, seen)
		}
	}
}

func observing(seen *[]tokenapi.Exchange) func(context.Context, tokenapi.Exchange) {
	return func(_ context.Context, x tokenapi.Exchange) { *seen = append(*seen, x) }
}
