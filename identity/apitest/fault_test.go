package apitest_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/apitest"
)

// req 133
func TestFaultsAreUsedUpInOrder(t *testing.T) {
	c := inMemory(t, apitest.Config{})
	status := func() int { return c.post("/echo", "").status }
	c.server.Inject(endpointEcho, apitest.Fault{Status: 503})
	c.server.Inject(endpointEcho, apitest.Fault{Status: 502, Times: 2})
	for i, want := range []int{503, 502, 502, 200} {
		wantEqual(t, "status "+string(rune('1'+i)), status(), want)
	}
	wantEqual(t, "requests processed", c.echoed.Load(), 1)
	c.server.Inject(endpointEcho, apitest.Fault{Status: 500, Times: -1})
	for range 3 {
		wantEqual(t, "status until cleared", status(), 500)
	}
	wantEqual(t, "status of another endpoint", c.post("/other", "").status, 200)
	c.server.ClearFaults()
	wantEqual(t, "status after ClearFaults", status(), 200)
}

// A fault with If waits for a matching request.
func TestFaultIf(t *testing.T) {
	c := inMemory(t, apitest.Config{})
	c.server.Inject(endpointEcho, apitest.Fault{Status: 503, Times: 2, If: func(r apitest.Request) bool {
		matches := r.Form.Get("step") == "2"
		r.Form.Set("step", "changed") // a copy
		return matches
	}})
	c.server.Inject(endpointEcho, apitest.Fault{Status: 500})
	for i, want := range []struct {
		step   string
		status int
	}{{"1", 500}, {"1", 200}, {"2", 503}, {"3", 200}, {"2", 503}, {"2", 200}} {
		got := c.post("/echo", "step="+want.step, "Content-Type", "application/x-www-form-urlencoded")
		wantEqual(t, "status "+string(rune('1'+i)), got.status, want.status)
	}
	wantEqual(t, "recorded form", c.server.Requests(endpointEcho)[0].Form.Get("step"), "1")
}

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

func TestFaultAnswerChangesFields(t *testing.T) {
	c := inMemory(t, apitest.Config{})
	change := apitest.Fault{Answer: func(fields map[string]any) {
		fields["n"] = fields["n"].(json.Number).String()
		fields["surprise"] = "<&>"
		delete(fields, "said")
	}}
	for _, path := range []string{"/echo", "/created"} {
		c.server.Inject(endpointEcho, change)
		wantEqual(t, "answer of "+path, c.post(path, "hi").body, `{"n":"1","surprise":"<&>"}`)
	}
	called := false
	spy := func(map[string]any) { called = true }
	c.server.Inject(endpointEcho, apitest.Fault{Status: 400, Body: []byte("{}"), Answer: spy})
	c.server.Inject(endpointEcho, apitest.Fault{Body: []byte("[]"), Answer: spy})
	c.post("/echo", "")
	wantEqual(t, "answer that is no object", c.post("/echo", "").body, "[]")
	wantEqual(t, "called for an error or an array", called, false)
}

// A client without a bound gets a good answer.
func TestFaultOversized(t *testing.T) {
	c := inMemory(t, apitest.Config{})
	c.server.Inject(endpointEcho, apitest.Fault{Oversized: true})
	got := c.post("/echo", "hi").body
	wantEqual(t, "length", len(got), 2<<20+len(`{"said":"hi","n":1}`))
	wantEqual(t, "what is behind the white space", strings.TrimLeft(got, " "), `{"said":"hi","n":1}`)
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

func TestFaultDelays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := inMemory(t, apitest.Config{})
		begin := time.Now()
		c.server.Inject(endpointEcho, apitest.Fault{DelayBefore: 2 * time.Second, DelayAfter: 3 * time.Second})
		wantEqual(t, "status", c.post("/echo", "").status, 200)
		wantEqual(t, "time taken", time.Since(begin), 5*time.Second)
		wantEqual(t, "time of arrival", c.server.Requests(endpointEcho)[0].Time, begin)
	})
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

// Handlers receive Fault.Extra.
func TestFaultExtra(t *testing.T) {
	type locked struct{ account string }
	c := inMemory(t, apitest.Config{})
	c.server.Handle("/extra", "extra", func(x *apitest.Exchange) {
		if f, ok := x.Fault.Extra.(locked); ok {
			x.Answer().Header().Set("X-Locked", f.account)
			x.Status(http.StatusLocked)
		}
	})
	c.server.Inject("extra", apitest.Fault{Extra: locked{"u-1"}})
	got := c.post("/extra", "")
	wantEqual(t, "status", got.status, http.StatusLocked)
	wantEqual(t, "header", got.header.Get("X-Locked"), "u-1")
	wantEqual(t, "status without the fault", c.post("/extra", "").status, http.StatusOK)
}

func TestInjectPanicsOnAnUnknownEndpoint(t *testing.T) {
	server := inMemory(t, apitest.Config{Name: "mytest"}).server
	wantPanic(t, "Inject", `mytest: Inject: no endpoint "magic"`, func() { server.Inject("magic", apitest.Fault{}) })
}
