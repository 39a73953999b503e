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

// maxPause bounds the delay that a server may ask for: a maintenance page that
// asks for a day must not outlast the refresh token.
const maxPause = 5 * time.Minute

// retryAfter returns the delay that err asks for, at most maxPause; 0 if none.
func retryAfter(err error) time.Duration {
	return min(max(0, tokenapi.OutcomeOf(err).RetryAfter), maxPause)
}

func jitter(d time.Duration) time.Duration { return d*3/4 + rand.N(d/2) }
