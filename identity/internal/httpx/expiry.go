package httpx

import (
	"net/http"
	"time"
)

// ServerTime returns the time of the last answer by the server's clock: told, a
// member of the answer, or the Date header plus the second whose fraction it
// drops. Without either it returns the time of sending by our clock.
func (c *Call) ServerTime(told any) time.Time {
	if t, ok := ParseTime(told); ok {
		return t
	}
	if t, err := http.ParseTime(c.Last.Header.Get("Date")); err == nil {
		return t.Add(time.Second)
	}
	return c.Sent
}

// LifeUntil returns the time from now, by the server's clock, to the expiry that
// an answer tells, or 0 if that is missing or impossible: a new token has
// neither expired nor lives for more than a hundred years.
func LifeUntil(expiry any, now time.Time) time.Duration {
	end, _ := ParseTime(expiry) // the zero time if that fails: in the past
	life := end.Sub(now)
	if life <= 0 || life > maxSeconds*time.Second {
		return 0
	}
	return life
}

// ParseTime parses a time of RFC 3339, with any number of decimals, also with a
// space for the T and with a zone such as +0000, as PHP writes it. Without a
// zone it is UTC.
func ParseTime(v any) (time.Time, bool) {
	text, _ := v.(string)
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05", time.DateTime} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}
