package httpx

import (
	"net/http"
	"testing"
	"time"
)

// field 12: a Clock believes the least difference that explains an answer, and
// of an answer that may come from a cache only that the server is ahead.
func TestClock(t *testing.T) {
	sent := time.Date(2026, 11, 26, 12, 0, 0, 500e6, time.UTC)
	for name, test := range map[string]struct {
		method string
		status int
		date   string
		took   time.Duration
		want   time.Duration
	}{
		"the same second":          {"POST", 200, "12:00:00", 0, 0},
		"during a slow exchange":   {"POST", 200, "12:00:09", 10 * time.Second, 0},
		"ahead":                    {"POST", 200, "12:01:00", 0, 59500 * time.Millisecond},
		"ahead, slow":              {"POST", 200, "12:01:00", 10 * time.Second, 49500 * time.Millisecond},
		"behind":                   {"POST", 200, "11:59:00", 0, -59500 * time.Millisecond},
		"behind, slow":             {"POST", 200, "11:59:00", 10 * time.Second, -59500 * time.Millisecond},
		"ahead, of a GET":          {"GET", 200, "12:01:00", 0, 59500 * time.Millisecond},
		"behind, perhaps of cache": {"GET", 200, "11:59:00", 0, 0},
		"of a proxy's error":       {"POST", 502, "12:01:00", 0, 0},
		"no time":                  {"POST", 200, "noon", 0, 0},
	} {
		date := test.date
		if date != "noon" {
			date = "Thu, 26 Nov 2026 " + test.date + " GMT"
		}
		var c Clock
		c.answered(test.method, test.status, date, sent, sent.Add(test.took))
		if got := c.Ahead(); got != test.want {
			t.Errorf("%s: Ahead = %v, want %v", name, got, test.want)
		}
	}
	var none *Clock
	none.answered(http.MethodPost, 200, "Thu, 26 Nov 2026 12:01:00 GMT", sent, sent)
	if none.Ahead() != 0 {
		t.Error("a nil Clock is ahead, want 0")
	}
}
