package clienttest

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/tokenapi"
)

// Exchanges checks how a client sends requests: it sends each once and follows
// no redirect, bounds the answer in time and bytes, and its error tells how far
// the request came and no secret (req 16, 17, 19, 20, 54, 69, 123).
func Exchanges[C any](t *testing.T, s Subject[C]) {
	t.Helper()
	for name, rule := range map[string]func(*testing.T, Operation[C]){
		"trials": s.trials, "no listener": s.noListener, "used connection": s.usedConnection, "redirects": s.redirects,
		"echo": s.echo, "broken transport": s.brokenTransport, "side by side": s.sideBySide, "prefix": s.prefix, "clock": s.clock,
	} {
		for _, op := range s.Operations {
			t.Run(name+"/"+op.Name, func(t *testing.T) { rule(t, op) })
		}
	}
}

// A trial is a fault of a request and its effect: by default ErrUnavailable, at
// once, without an answer.
type trial struct {
	fault    apitest.Fault
	timeout  time.Duration // HTTP.Timeout
	deadline time.Duration // of the context; 0: none
	cancel   time.Duration // until the caller cancels the context; 0: never

	after  time.Duration
	cause  error
	cut    bool // by a timeout, which a refresh token outlasts up to RefreshTimeout
	status int
	want   error
}

// refreshing is the operation whose request uses a refresh token up.
const refreshing = "refresh token"

var (
	unread  = apitest.Fault{DelayBefore: time.Hour}
	late    = apitest.Fault{DelayAfter: time.Hour}
	expired = context.DeadlineExceeded
)

var trials = map[string]trial{
	"lost request":        {fault: apitest.Fault{LoseRequest: true}},
	"lost answer":         {fault: apitest.Fault{LoseAnswer: true}},
	"request times out":   {fault: unread, timeout: 7 * time.Second, after: 7 * time.Second, cause: expired, cut: true},
	"answer times out":    {fault: late, timeout: 7 * time.Second, after: 7 * time.Second, cause: expired, cut: true}, // field 40
	"more than 2 minutes": {fault: late, timeout: 2 * time.Minute, after: 2 * time.Minute, cause: expired, cut: true},
	"context times out":   {fault: unread, deadline: 5 * time.Second, after: 5 * time.Second, cause: expired},
	"context is canceled": {fault: late, cancel: 3 * time.Second, after: 3 * time.Second, cause: context.Canceled},

	"more than a minute": {fault: late, after: time.Minute, cause: expired, cut: true},
	"less than a minute": {fault: apitest.Fault{DelayAfter: 59 * time.Second}, after: 59 * time.Second, status: 503},

	// A client that read these to their end would find an answer and a status.
	"oversized 200": {fault: apitest.Fault{Oversized: true, Status: 200, Body: []byte("{}")}, want: tokenapi.ErrUnusableAnswer},
	"oversized 401": {fault: apitest.Fault{Oversized: true, Status: 401, Body: []byte("{}")}, want: tokenapi.ErrUnusableAnswer},
}

func (s Subject[C]) trials(t *testing.T, op Operation[C]) {
	for name, c := range trials {
		synctest.Test(t, func(t *testing.T) {
			server := unavailable()
			server.Inject(anything, c.fault)
			client := s.New(t, tokenapi.HTTP{Transport: server.Transport(), Timeout: c.timeout}, peer)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if c.cancel > 0 {
				time.AfterFunc(c.cancel, cancel)
			}
			if c.deadline > 0 {
				ctx, cancel = context.WithTimeout(ctx, c.deadline)
				defer cancel()
			}
			want := c.want
			if want == nil {
				want = tokenapi.ErrUnavailable
			}
			if c.cut && op.Name == refreshing {
				c.after = max(c.after, tokenapi.RefreshTimeout)
			}
			began := time.Now()
			_, err := s.call(ctx, t, op, client)
			if e := s.wantError(t, op, err, want); !e.Sent || e.StatusCode != c.status {
				t.Errorf("%s: got %#v, want it sent and the status %d", name, e, c.status)
			}
			if took := time.Since(began); took != c.after || c.cause != nil && !errors.Is(err, c.cause) {
				t.Errorf("%s: got %v after %v, want %v after %v", name, err, took, c.cause, c.after)
			}
			if n := server.Count(anything); n != 1 {
				t.Errorf("%s: got %d requests, want 1", name, n)
			}
		})
	}
}

// A request that never left is safe to repeat.
func (s Subject[C]) noListener(t *testing.T, op Operation[C]) {
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	_, err := s.call(t.Context(), t, op, s.New(t, tokenapi.HTTP{}, closed.URL))
	if e := s.wantError(t, op, err, tokenapi.ErrUnavailable); e.Sent {
		t.Errorf("got %#v, want it not sent", e)
	}
}

// net/http repeats a GET after a cut connection, if the connection was used.
func (s Subject[C]) usedConnection(t *testing.T, op Operation[C]) {
	server := apitest.Serve(t, unavailable(), nil)
	client := s.New(t, tokenapi.HTTP{}, server.URL())
	const used = 3
	for range used {
		_, err := s.call(t.Context(), t, op, client)
		if e := s.wantError(t, op, err, tokenapi.ErrUnavailable); e.StatusCode != http.StatusServiceUnavailable {
			t.Fatalf("got %#v, want the status 503", e)
		}
	}
	server.Inject(anything, apitest.Fault{LoseAnswer: true, Times: -1})
	_, err := s.call(t.Context(), t, op, client)
	e := s.wantError(t, op, err, tokenapi.ErrUnavailable)
	if n := server.Count(anything) - used; n != 1 || !e.Sent || e.StatusCode != 0 {
		t.Errorf("a lost answer: got %d requests and %#v, want 1 request", n, e)
	}
}

// No secret follows a redirect.
func (s Subject[C]) redirects(t *testing.T, op Operation[C]) {
	const elsewhere = "elsewhere"
	for _, status := range []int{301, 302, 303, 307, 308} {
		server := apitest.New(apitest.Config{Name: "clienttest"})
		server.Handle("/elsewhere", elsewhere, func(x *apitest.Exchange) { x.JSON(http.StatusOK, "application/json", "reached") })
		server.Handle("/*", anything, func(x *apitest.Exchange) {
			x.Answer().Header().Set("Location", "https://other.example/elsewhere?to=any")
			x.Status(status)
		})
		var seen []tokenapi.Exchange
		client := s.New(t, tokenapi.HTTP{Transport: server.Transport(), Observe: observing(&seen)}, peer)
		_, err := s.call(t.Context(), t, op, client)
		e := s.wantError(t, op, err, tokenapi.ErrUnusableAnswer)
		if e.StatusCode != status || !e.Sent || !strings.Contains(e.Error(), peer+op.Path) { // field 10: it names the URL to correct
			t.Errorf("%d: got %#v, want the status, Sent and %s", status, e, peer+op.Path)
		}
		if first, second := server.Count(anything), server.Count(elsewhere); first != 1 || second != 0 {
			t.Errorf("%d: got %d requests and %d redirected, want 1 and 0", status, first, second)
		}
		if len(seen) != 1 || seen[0].StatusCode != status || seen[0].Redirect != "https://other.example/elsewhere" {
			t.Errorf("%d: observed %+v, want one exchange with its redirect", status, seen)
		}
	}
}

// A client serves concurrent callers, each with an answer of its own.
func (s Subject[C]) sideBySide(t *testing.T, op Operation[C]) {
	const callers = 20
	server := unavailable()
	server.Inject(anything, apitest.Fault{Times: callers / 2, Body: []byte(s.Body(`"a"`, `"r"`))})
	client := s.New(t, tokenapi.HTTP{Transport: server.Transport()}, peer)
	errs := make([]error, callers)
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() { _, errs[i] = s.call(t.Context(), t, op, client) })
	}
	all.Wait()
	failed := 0
	for _, err := range errs {
		if err != nil {
			s.wantError(t, op, err, tokenapi.ErrUnavailable)
			failed++
		}
	}
	if n := server.Count(anything); failed != callers/2 || n != callers {
		t.Errorf("got %d errors and %d requests, want %d and %d", failed, n, callers/2, callers)
	}
}

// The API may be below a path, and the URL may end in slashes.
func (s Subject[C]) prefix(t *testing.T, op Operation[C]) {
	server := unavailable()
	client := s.New(t, tokenapi.HTTP{Transport: server.Transport()}, peer+"/a/b//")
	_, _ = s.call(t.Context(), t, op, client)
	if got := server.Requests(anything); len(got) != 1 || got[0].Path != "/a/b"+op.Path {
		t.Errorf("%s: sent %+v, want one request to /a/b%s", op.Name, got, op.Path)
	}
}

// A life begins when the request is sent, by the Config's clock.
func (s Subject[C]) clock(t *testing.T, op Operation[C]) {
	synctest.Test(t, func(t *testing.T) {
		const skew, delay = 5 * time.Hour, 20 * time.Second
		server := unavailable()
		server.Inject(anything, apitest.Fault{DelayAfter: delay, Body: []byte(s.Body(`"a"`, `"r"`))})
		now := func() time.Time { return time.Now().Add(skew) }
		client := s.New(t, tokenapi.HTTP{Transport: server.Transport(), Now: now}, peer)
		want := now().Add(s.Life)
		token, err := s.call(t.Context(), t, op, client)
		if err != nil || !token.Expiry.Equal(want) || !now().Equal(want.Add(delay-s.Life)) {
			t.Errorf("got %+v, %v at %v, want the expiry %v", token, err, now(), want)
		}
	})
}

func observing(seen *[]tokenapi.Exchange) func(context.Context, tokenapi.Exchange) {
	return func(_ context.Context, x tokenapi.Exchange) { *seen = append(*seen, x) }
}
