package showcase

import (
	"errors"
	"sync"
	"time"

	"b2trader.identity.auth/identity/tokenapi"
)

// maxRetryAfter bounds the delay that a platform may ask for, as package vault
// does.
const maxRetryAfter = 5 * time.Minute

// retryTimes keeps when each platform, by its client, may be asked for a token
// again. A sign-in by hand obeys what an automatic renewal was told, even for a
// Refresher that is no Keeper.
type retryTimes struct {
	now func() time.Time

	mu     sync.Mutex
	refuse map[string]refusedUntil
}

type refusedUntil struct {
	at    time.Time
	cause error
}

// note keeps the delay that err asks for. A Keeper's own pause is not the
// platform's.
func (r *retryTimes) note(client string, err error) {
	asked := min(tokenapi.OutcomeOf(err).RetryAfter, maxRetryAfter)
	if _, paused := errors.AsType[*tokenapi.PausedError](err); paused || asked <= 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refuse[client] = refusedUntil{r.now().Round(0).Add(asked), err}
}

// check returns a *tokenapi.PausedError if the platform may not be asked yet.
func (r *retryTimes) check(client string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	until := r.refuse[client]
	if wait := until.at.Sub(r.now()); wait > 0 {
		return &tokenapi.PausedError{System: client, RetryAfter: wait, Err: until.cause}
	}
	return nil
}
