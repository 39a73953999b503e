package apitest_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"b2trader.identity.auth/identity/apitest"
)

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
