package apitest_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/apitest"
)

func TestRecord(t *testing.T) {
	now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	c := inMemory(t, apitest.Config{Now: func() time.Time { return now }})
	c.server.Handle("/refuse", "refuse", func(x *apitest.Exchange) {
		x.Note("first thought")
		x.Note("wrong password")
		x.Status(http.StatusUnauthorized)
	})
	c.post("/echo?trace=1", "a=1", "Content-Type", "application/x-www-form-urlencoded", "X-Mark", "2")
	c.post("/echo", "text")
	c.post("/refuse", "")
	wantEqual(t, "count", c.server.Count(endpointEcho), 2)
	wantEqual(t, "count of another endpoint", c.server.Count(endpointOther), 0)
	wantEqual(t, "requests to another endpoint", len(c.server.Requests(endpointOther)), 0)
	got := c.server.Requests(endpointEcho)
	wantEqual(t, "requests", len(got), 2)
	first := got[0]
	wantEqual(t, "time", first.Time, now)
	wantEqual(t, "endpoint", first.Endpoint, endpointEcho)
	wantEqual(t, "method", first.Method, http.MethodPost)
	wantEqual(t, "path", first.Path, "/echo")
	wantEqual(t, "query", first.Query.Get("trace"), "1")
	wantEqual(t, "form", first.Form.Get("a"), "1")
	wantEqual(t, "header", first.Header.Get("X-Mark"), "2")
	wantEqual(t, "body", string(first.Body), "a=1")
	wantEqual(t, "status", first.Status, http.StatusOK)
	wantEqual(t, "problem", first.Problem, "")
	if got[1].Form != nil || got[1].Query == nil {
		t.Errorf("form is %v, query is %v", got[1].Form, got[1].Query)
	}
	refused := c.server.Requests("refuse")[0]
	wantEqual(t, "status", refused.Status, http.StatusUnauthorized)
	wantEqual(t, "problem", refused.Problem, "wrong password")
}

func TestRecordIsACopy(t *testing.T) {
	c := inMemory(t, apitest.Config{})
	c.server.Handle("/change", "change", func(x *apitest.Exchange) {
		x.Body[0] = '#'
		x.Query.Set("q", "changed")
	})
	c.post("/change?q=1", "a=1", "Content-Type", "application/x-www-form-urlencoded", "X-Mark", "1")
	got := c.server.Requests("change")[0]
	got.Form.Set("a", "changed")
	got.Query.Set("q", "changed")
	got.Header.Set("X-Mark", "2")
	got.Body[0] = '#'
	again := c.server.Requests("change")[0]
	wantEqual(t, "form", again.Form.Get("a"), "1")
	wantEqual(t, "query", again.Query.Get("q"), "1")
	wantEqual(t, "header", again.Header.Get("X-Mark"), "1")
	wantEqual(t, "body", string(again.Body), "a=1")
}

func TestRunningRequestsAreRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := inMemory(t, apitest.Config{})
		c.server.Inject(endpointEcho, apitest.Fault{DelayBefore: time.Hour})
		done := make(chan answer)
		go func() { done <- c.post("/echo", "") }()
		synctest.Wait()
		wantEqual(t, "count", c.server.Count(endpointEcho), 1)
		wantEqual(t, "status", c.server.Requests(endpointEcho)[0].Status, 0)
		<-done
		wantEqual(t, "status in the end", c.server.Requests(endpointEcho)[0].Status, 200)
	})
}

func TestRecordIsBounded(t *testing.T) {
	c := inMemory(t, apitest.Config{})
	const sent = 5000
	for range sent {
		c.post("/other", "")
	}
	wantEqual(t, "count", c.server.Count(endpointOther), sent)
	if kept := len(c.server.Requests(endpointOther)); kept < 3072 || kept > 4096 {
		t.Errorf("%d requests are remembered", kept)
	}
}

// Arrived receives every request with a route before it is counted, even a lost
// one.
func TestArrived(t *testing.T) {
	var arrived []string
	var server *apitest.Server
	c := inMemory(t, apitest.Config{Arrived: func(x *apitest.Exchange) {
		if server.Count(x.Endpoint) != len(arrived) {
			t.Errorf("%d requests are counted after %q", server.Count(x.Endpoint), arrived)
		}
		arrived = append(arrived, string(x.Body))
	}})
	server = c.server
	c.server.Inject(endpointEcho, apitest.Fault{LoseRequest: true})
	if got, err := c.try("/echo", "lost"); err == nil {
		t.Errorf("answer is %d", got.status)
	}
	c.post("/nothing", "nowhere")
	c.post("/echo", "answered")
	wantEqual(t, "what arrived", strings.Join(arrived, " "), "lost answered")
}

func TestWire(t *testing.T) {
	c := inMemory(t, apitest.Config{})
	c.server.Handle("/users/*", "users", func(*apitest.Exchange) {})
	c.post("/users/a%2Fb?z=1&a=%20x", "{\"n\":1}\n", "Content-Type", "application/json", "X-Two", "1", "X-Two", "2", "X-Secret", "s")
	got := c.server.Requests("users")[0]
	wantEqual(t, "text", got.Wire("X-Two", "content-type", "X-None"),
		"POST /users/a%2Fb?z=1&a=%20x\nX-Two: 1\nX-Two: 2\ncontent-type: application/json\n\n{\"n\":1}\n")
	wantEqual(t, "text without headers", got.Wire(), "POST /users/a%2Fb?z=1&a=%20x\n\n{\"n\":1}\n")
}

// The race detector checks concurrent use.
func TestConcurrentUse(t *testing.T) {
	c := inMemory(t, apitest.Config{})
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 20 {
				c.server.Inject(endpointOther, apitest.Fault{Status: 500})
				if _, err := c.try("/other", "a"); err != nil {
					t.Error(err)
				}
				c.server.Requests(endpointOther)
				c.server.ClearFaults()
			}
		})
	}
	c.server.Handle("/late/*", "late", func(*apitest.Exchange) {})
	all.Wait()
	wantEqual(t, "count", c.server.Count(endpointOther), 160)
}
