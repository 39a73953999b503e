package vault

import (
	"sync"
	"time"

	"b2trader.identity.auth/identity/tokenapi"
)

// The bounds of a pace, in renewals under way at once.
const (
	firstLimit  = 64 // as many connections as a client keeps open to one host
	leastLimit  = 4
	mostLimit   = 256
	limitGrowth = 4 // by a round of good answers
)

// slowAnswer is how long an answer may take that is never slow.
const slowAnswer = 2 * time.Second

// outageFailures is how many failures in a row are an outage of the server.
const outageFailures = 5

// A pace bounds how many renewals of one client this process has under way. A
// token server that gets too many requests answers later and later, until
// requests are given up whose refresh tokens it has used up.
//
// The limit follows the server as TCP follows a network (additive increase,
// multiplicative decrease). While renewals wait, a round of good answers raises
// it by limitGrowth. A failure (5xx, 429, no answer) or a slow answer halves it,
// once for all requests that were under way then. A Retry-After holds up its
// own entry only, because it may be about one user.
//
// An answer is slow if it takes more than slowAnswer and more than twice as long
// as the fastest one. If half the limit makes answers no faster, the server is
// slow by itself: the limit returns to what it was, and this answer counts as
// the fastest.
type pace struct {
	patience time.Duration // a request that takes longer is slow, and does not count as under way

	mu      sync.Mutex
	queue   queue
	limit   float64
	under   int           // renewals under way
	halved  time.Time     // requests sent before say nothing about the limit since
	slow    *slowness     // why the limit was halved, until an answer shows whether that helped; nil: a failure
	fastest time.Duration // answer; 0: none yet

	failures  int       // of the server, in a row
	succeeded time.Time // when the server gave the last token
}

// A slowness is the slowest answer to requests under one limit.
type slowness struct {
	took  time.Duration
	limit float64
}

// newPace returns the pace of a client whose requests have that timeout.
func newPace(timeout time.Duration) *pace { return &pace{limit: firstLimit, patience: timeout / 4} }

// answered learns from the result of a request.
func (p *pace) answered(sent time.Time, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	kind := tokenapi.OutcomeOf(err).Kind
	failed := err != nil && (kind == tokenapi.Transient || kind == tokenapi.Unanswered)
	switch {
	case err == nil:
		p.failures, p.succeeded = 0, time.Now()
	case failed, kind == tokenapi.NotSent:
		p.failures++
	}
	took := time.Since(sent)
	switch {
	case sent.Before(p.halved):
		if p.slow != nil {
			p.slow.took = max(p.slow.took, took)
		}
	case err != nil && kind == tokenapi.NotSent:
	case failed:
		p.halve(nil)
	case p.slow != nil && took > p.slow.took*3/4:
		p.limit, p.fastest, p.slow = p.slow.limit, took, nil
	case took > p.patience, p.fastest > 0 && took > max(slowAnswer, 2*p.fastest):
		p.halve(&slowness{took, p.limit})
	default:
		p.raise(took)
	}
	p.admit()
}

// halve lowers the limit. The caller holds mu.
func (p *pace) halve(slow *slowness) {
	p.limit = max(leastLimit, p.limit/2)
	p.halved, p.slow = time.Now(), slow
}

// raise raises the limit if renewals wait for it. The caller holds mu.
func (p *pace) raise(took time.Duration) {
	p.slow = nil
	if p.fastest == 0 || took < p.fastest {
		p.fastest = took
	}
	if p.queue.len() > 0 {
		p.limit = min(mostLimit, p.limit+limitGrowth/p.limit)
	}
}

// admit lets as many renewals begin as the limit permits. The caller holds mu.
func (p *pace) admit() {
	for p.under < int(p.limit) && p.queue.len() > 0 {
		t := p.queue.pop()
		t.holds = true
		p.under++
		close(t.ready)
	}
}

// outage reports whether the server fails for more than one entry.
func (p *pace) outage() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.failures >= outageFailures
}

// recovered reports whether the server gave a token after that time.
func (p *pace) recovered(since time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.succeeded.After(since)
}
