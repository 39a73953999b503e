package httpx

import (
	"net/http"
	"testing"
	"time"
)

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "-1": 0, "soon": 0, "99999999": 24 * time.Hour, "99999999999999999999": 24 * time.Hour, "-9223372037": 0,
		"Fri, 02 Jan 2026 03:04:15 GMT": 10 * time.Second, "Fri, 02 Jan 2026 03:00:00 GMT": 0,
	} {
		if got := RetryAfter(http.Header{"Retry-After": {value}}, now); got != want {
			t.Errorf("%q: got %v, want %v", value, got, want)
		}
	}
	// field 12: a server whose clock differs by two hours
	differs := http.Header{"Retry-After": {"Fri, 02 Jan 2026 05:04:15 GMT"}, "Date": {"Fri, 02 Jan 2026 05:04:05 GMT"}}
	if got := RetryAfter(differs, now); got != 10*time.Second {
		t.Errorf("RetryAfter(%v) = %v, want 10s", differs, got)
	}
}
