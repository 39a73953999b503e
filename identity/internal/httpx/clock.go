package httpx

import (
	"net/http"
	"sync/atomic"
	"time"
)

// maxDifference is the largest difference of clocks that a Clock believes: an
// hour of a wrong time zone, a day of a wrong date. A larger one is taken for a
// fault of the server.
const maxDifference = 25 * time.Hour

// A Clock tells how far the clock of a server is ahead of this process's, by
// the Date of its answers (RFC 9110 section 6.6.1). It is safe for concurrent
// use. A nil Clock learns nothing.
type Clock struct{ ahead atomic.Int64 }

// Ahead returns the least difference that explains the last answer; 0 if the
// clocks may agree, or if nothing is known. It is accurate to the time that an
// exchange takes and a second more.
func (c *Clock) Ahead() time.Duration {
	if c == nil {
		return 0
	}
	return time.Duration(c.ahead.Load())
}

// answered learns from an answer. Date is a whole second, rounded down, and was
// written between sent and received. The answer to a POST is new. That to a GET
// may come from a cache, so it shows only that the server's time is no earlier.
func (c *Clock) answered(method string, status int, date string, sent, received time.Time) {
	if c == nil || status/100 != 2 {
		return
	}
	told, err := http.ParseTime(date)
	if err != nil {
		return
	}
	least, most := told.Sub(received.Round(0)), told.Add(time.Second).Sub(sent.Round(0))
	var ahead time.Duration
	switch {
	case least > 0:
		ahead = least
	case method != http.MethodPost:
		return
	case most < 0:
		ahead = most
	}
	if ahead.Abs() > maxDifference {
		ahead = 0
	}
	c.ahead.Store(int64(ahead))
}
