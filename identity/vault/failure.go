package vault

import (
	"errors"
	"math/rand/v2"
	"time"
)

// failure is what a Refresher's error means for the entry.
type failure int

const (
	transient  failure = iota // keep the entry, try later
	notSent                   // nothing happened: repeat at once
	unanswered                // perhaps something happened: look, then ask once more
	refused                   // no token will come of this refresh token
)

func classify(err error) failure {
	var (
		r interface{ GrantRefused() bool }
		n interface{ NotSent() bool }
		u interface{ Unanswered() bool }
	)
	switch {
	case errors.As(err, &r) && r.GrantRefused():
		return refused
	case errors.As(err, &n) && n.NotSent():
		return notSent
	case errors.As(err, &u) && u.Unanswered():
		return unanswered
	}
	return transient
}

// pause is how long to wait after so many failures in a row: as long as the server asks, or a second, doubling up to
// sixteen, give or take a quarter so that many entries do not come back as one.
func pause(err error, failures int) time.Duration {
	if asked := askedToWait(err); asked > 0 {
		return asked
	}
	return jitter(time.Second << min(failures-1, 4))
}

// maxPause bounds how long a server may have us wait: a page of maintenance that asks for a day must not outlast the refresh token.
const maxPause = 5 * time.Minute

// askedToWait is how long the server, or whoever was to give the token for asking it, wants us to wait; 0 if it does not.
func askedToWait(err error) time.Duration {
	var asked interface{ RetryDelay() time.Duration }
	if errors.As(err, &asked) {
		return min(max(0, asked.RetryDelay()), maxPause)
	}
	return 0
}

func jitter(d time.Duration) time.Duration { return d*3/4 + rand.N(d/2) }
