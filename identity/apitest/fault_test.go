package apitest_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/apitest"
)

func TestFaultAnswerInstead(t *testing.T) {
	c := inMemory(t, apitest.Config{})
	c.server.Inject(endpointEcho, apitest.Fault{Status: 429, RetryAfter: "7", ContentType: "text/plain", Body: []byte("slow down")})
	got := c.post("/echo", "")
	wantEqual(t, "status", got.status, 429)
	wantEqual(t, "Retry-After", got.header.Get("Retry-After"), "7")
	wantEqual(t, "Content-Type", got.header.Get("Content-Type"), "text/plain")
	wantEqual(t, "body", got.body, "slow down")
	c.server.Inject(endpointEcho, apitest.Fault{Body: []byte("[]")})
	got = c.post("/echo", "")
	wantEqual(t, "status of a body alone", got.status, 200)
	wantEqual(t, "Content-Type by default", got.header.Get("Content-Type"), "application/json")
	wantEqual(t, "requests processed", c.echoed.Load(), 0)
	wantEqual(t, "recorded status", c.server.Requests(endpointEcho)[0].Status, 429)
	c.server.Inject(endpointEcho, apitest.Fault{ContentType: "text/html"})
	got = c.post("/echo", "hi")
	wantEqual(t, "Content-Type", got.header.Get("Content-Type"), "text/html")
	wantEqual(t, "body", got.body, `{"said":"hi","n":1}`)
}

func TestFaultLostRequestsAndAnswers(t *testing.T) {
	c := onSocket(t)
	for processed, f := range []apitest.Fault{{LoseRequest: true}, {LoseAnswer: true}} {
		c.server.Inject(endpointEcho, f)
		if _, err := c.try("/echo", ""); !errors.Is(err, io.EOF) {
			t.Errorf("error is %v, want EOF", err)
		}
		wantEqual(t, "requests processed", c.echoed.Load(), int64(processed))
		wantEqual(t, "recorded status", c.server.Requests(endpointEcho)[processed].Status, 0)
	}
}

// A client that times out loses the request in DelayBefore and the answer in
// DelayAfter.
func TestFaultDelaysEndWithTheClient(t *testing.T) {
	for _, tc := range []struct {
		name      string
		fault     apitest.Fault
		processed int64
	}{
		{"before", apitest.Fault{DelayBefore: time.Hour}, 0},
		{"after", apitest.Fault{DelayAfter: time.Hour}, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := inMemory(t, apitest.Config{})
				c.server.Inject(endpointEcho, tc.fault)
				c.http.Timeout = time.Second
				begin := time.Now()
				if got, err := c.try("/echo", ""); err == nil {
					t.Errorf("answer is %d", got.status)
				}
				synctest.Wait()
				wantEqual(t, "time taken", time.Since(begin), time.Second)
				wantEqual(t, "requests processed", c.echoed.Load(), tc.processed)
			})
		})
	}
}

// The server notices over a socket that the client disconnects.
func TestFaultDelaysEndWithTheConnection(t *testing.T) {
	server := inMemory(t, apitest.Config{}).server
	server.Inject(endpointEcho, apitest.Fault{DelayBefore: time.Hour})
	arrived, ended := make(chan struct{}), make(chan struct{})
	outer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(arrived)
		defer close(ended)
		server.ServeHTTP(w, r)
	}))
	defer outer.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-arrived
		cancel()
	}()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, outer.URL+"/echo", nil)
	if err != nil {
		t.Fatal(err)
	}
	if answer, err := outer.Client().Do(r); !errors.Is(err, context.Canceled) {
		t.Errorf("answer is %v, error is %v", answer, err)
	}
	select {
	case <-ended:
	case <-time.After(time.Minute):
		t.Fatal("the server still waits")
	}
}

func TestInjectPanicsOnAnUnknownEndpoint(t *testing.T) {
	server := inMemory(t, apitest.Config{Name: "mytest"}).server
	wantPanic(t, "Inject", `mytest: Inject: no endpoint "magic"`, func() { server.Inject("magic", apitest.Fault{}) })
}
