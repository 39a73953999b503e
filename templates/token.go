package templates

import (
	"strconv"
	"time"
)

// Life is how long the token was good for when it was issued; zero if its times make no sense.
func (t Token) Life() time.Duration {
	if t.Issued.IsZero() {
		return 0
	}
	return max(t.Expires.Sub(t.Issued), 0)
}

// Left is how much of its life remained when the page was made; zero once it has expired.
func (t Token) Left() time.Duration {
	return max(t.Expires.Sub(t.Now), 0)
}

// state names the look of the token's meter. "late" is the last third of its life, when
// a use of the token starts its renewal.
func (t Token) state() string {
	switch {
	case t.Unavailable:
		return "unavailable"
	case t.Left() == 0:
		return "expired"
	case t.Left() < t.Life()/3:
		return "late"
	default:
		return "fresh"
	}
}

// number is a duration as <progress> wants it: whole milliseconds.
func number(d time.Duration) string {
	return strconv.FormatInt(d.Milliseconds(), 10)
}
