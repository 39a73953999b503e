package vault

import (
	"math/rand/v2"
	"time"

	"b2trader.identity.auth/identity/tokenapi"
)

// pause returns how long to wait after that many failures in a row: the delay
// that the server asks for, or else 1 s, doubled by each failure up to 16 s, with
// a jitter of a quarter so that entries do not retry together.
func pause(err error, failures int) time.Duration {
	if asked := retryAfter(err); asked > 0 {
		return asked
	}
	return jitter(time.Second << min(failures-1, 4))
}

// failed begins the pause after a failure. The caller holds e.mu.
func (e *cachedEntry) failed(err error, now time.Time, p *pace) {
	e.failures++
	e.notBefore, e.cause = now.Add(pause(err, e.failures)), err
	e.inOutage = time.Time{}
	if retryAfter(err) == 0 && p.outage() {
		e.inOutage = time.Now()
	}
}

// retryAt returns when the next renewal may start. The pause after a failure in
// an outage of the server ends when the server renews another entry. It does not
// end so if the server fails for this entry alone, or asked for the pause. The
// caller holds e.mu.
func (e *cachedEntry) retryAt(p *pace) time.Time {
	if !e.inOutage.IsZero() && p.recovered(e.inOutage) {
		e.failures, e.notBefore, e.inOutage = 0, time.Time{}, time.Time{}
	}
	return e.notBefore
}

// maxPause bounds the delay that a server may ask for: a maintenance page that
// asks for a day must not outlast the refresh token.
const maxPause = 5 * time.Minute

// retryAfter returns the delay that err asks for, at most maxPause; 0 if none.
func retryAfter(err error) time.Duration {
	return min(max(0, tokenapi.OutcomeOf(err).RetryAfter), maxPause)
}

func jitter(d time.Duration) time.Duration { return d*3/4 + rand.N(d/2) }
