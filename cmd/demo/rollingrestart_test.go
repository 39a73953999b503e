package main

import (
	"context"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"
)

// A balancer sends POSTs to the processes that were ready when it last asked.
// It keeps its connections, as load balancers do, and repeats no POST.
type balancer struct {
	client *http.Client

	mu    sync.Mutex
	sites []string
	ready []string
}

// check asks all sites for their /readyz, once in an interval, until ctx ends.
func (b *balancer) check(ctx context.Context, interval time.Duration) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		b.mu.Lock()
		sites := b.sites
		b.mu.Unlock()
		var ready []string
		for _, site := range sites {
			if get(ctx, b.client, site+"/readyz") == http.StatusOK {
				ready = append(ready, site)
			}
		}
		b.mu.Lock()
		b.ready = ready
		b.mu.Unlock()
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (b *balancer) isReady(site string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, ready := range b.ready {
		if ready == site {
			return true
		}
	}
	return false
}

// post sends one POST and returns its status, 0 if there was no answer.
func (b *balancer) post(ctx context.Context, n int) int {
	b.mu.Lock()
	ready := b.ready
	b.mu.Unlock()
	if len(ready) == 0 {
		return 0
	}
	target := ready[n%len(ready)] + "/sign-out"
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, target, http.NoBody)
	if err != nil {
		return 0
	}
	resp, err := b.client.Do(r)
	if err != nil {
		return 0
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, resp.Body) // for the next request on this connection
	return resp.StatusCode
}

// With the default -stop-delay a rolling restart behind a load balancer that
// asks /readyz every second loses no POST.
//
// field 48
func TestRollingRestartLosesNoPost(t *testing.T) {
	t.Parallel()
	o := startOffice(t, 0)
	one, two := start(t, o.args()...), start(t, o.args()...)
	b := &balancer{sites: []string{one.site, two.site}, client: &http.Client{
		Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: 16},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	ctx, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() { b.check(ctx, time.Second) })
	until(t, "both ready", func() bool { return b.isReady(one.site) && b.isReady(two.site) })
	var mu sync.Mutex
	answers := map[int]int{}
	for i := range 4 {
		all.Go(func() {
			for n := i; ctx.Err() == nil; n++ {
				got := b.post(ctx, n)
				if ctx.Err() != nil {
					return
				}
				mu.Lock()
				answers[got]++
				mu.Unlock()
				<-time.After(5 * time.Millisecond)
			}
		})
	}
	one.end(errTerminated)
	one.wait()
	stop()
	all.Wait()
	if lost := answers[0]; lost > 0 || answers[http.StatusSeeOther] == 0 {
		t.Errorf("POSTs by their status, 0 without an answer: %v, want none lost", answers)
	}
}

// The delay is the default of a supervisor's stop.
//
// field 48
func TestStopDelayIsForSupervisors(t *testing.T) {
	s, problems, err := parse(nil, nil, io.Discard)
	if err != nil || problems != nil || s.stopDelay != defaultStopDelay || s.stopDelay < 4*time.Second {
		t.Errorf("-stop-delay = %v, %v, %v, want %v by default, which is at least 4 s", s.stopDelay, problems, err, defaultStopDelay)
	}
}
