package templates

import (
	"strconv"
	"time"
)

// Life returns how long the token was valid when it was issued, or 0 if one of
// its times is missing.
func (t Token) Life() time.Duration {
	if t.Issued.IsZero() {
		return 0
	}
	return max(t.Expires.Sub(t.Issued), 0)
}

// Left returns how long the token was still valid when the page was made, or 0.
func (t Token) Left() time.Duration {
	return max(t.Expires.Sub(t.Now), 0)
}

// state returns the look of the token's meter. "late" is the last third of the
// token's life, in which each use of the token starts its renewal.
func (t Token) state() string {
	switch {
	case t.Unavailable:
		return "unavailable"
	case t.Left() == 0:
		return t.over()
	case t.Left() < t.Life()/3:
		return "late"
	default:
		return "fresh"
	}
}

// over returns the state of an expired token.
func (t Token) over() string {
	if t.RenewedOnUse {
		return "idle"
	}
	return "expired"
}

// number formats d for <progress>, in whole milliseconds.
func number(d time.Duration) string {
	return strconv.FormatInt(d.Milliseconds(), 10)
}
