package templates

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// never stands where a time is not known.
const never = "not known"

// stamp is t in full: "21 Nov 2026, 14:03:27 UTC".
func stamp(t time.Time) string {
	if t.IsZero() {
		return never
	}
	return t.UTC().Format("2 Jan 2006, 15:04:05 UTC")
}

// clock is t's time of day: "14:03:27 UTC".
func clock(t time.Time) string {
	if t.IsZero() {
		return never
	}
	return t.UTC().Format("15:04:05 UTC")
}

// machineTime is t as <time datetime> wants it.
func machineTime(t time.Time) string {
	return t.UTC().Format(time.RFC3339)
}

// milliseconds is t as app.js reads it: since 1970.
func milliseconds(t time.Time) string {
	return strconv.FormatInt(t.UnixMilli(), 10)
}

// left says how long d is in the largest units that help, rounded up: "23 s", "29 min", "9 h 58 min".
// app.js says the same; a negative d is none.
func left(d time.Duration) string {
	minutes := whole(d, time.Minute)
	switch {
	case d < 90*time.Second:
		return fmt.Sprintf("%d s", whole(d, time.Second))
	case minutes < 90:
		return fmt.Sprintf("%d min", minutes)
	case minutes < 48*60:
		return fmt.Sprintf("%d h %d min", minutes/60, minutes%60)
	default:
		return fmt.Sprintf("%d days", whole(d, 24*time.Hour))
	}
}

// whole is d in units, rounded up, so that a token with any life left shows at least 1.
func whole(d, unit time.Duration) int {
	return int((max(d, 0) + unit - 1) / unit)
}

// took is a measured duration: "0.4 ms", "84 ms", "1.24 s".
func took(d time.Duration) string {
	ms := float64(d) / float64(time.Millisecond)
	switch {
	case ms <= 0:
		return "0 ms"
	case ms < 10:
		return strconv.FormatFloat(ms, 'f', 1, 64) + " ms"
	case ms < 999.5:
		return strconv.FormatFloat(ms, 'f', 0, 64) + " ms"
	default:
		return strconv.FormatFloat(ms/1000, 'f', 2, 64) + " s"
	}
}

// statusLine is an HTTP status in words; 0 is no answer.
func statusLine(code int) string {
	if code == 0 {
		return "no answer"
	}
	if text := http.StatusText(code); text != "" {
		return strconv.Itoa(code) + " " + text
	}
	return strconv.Itoa(code)
}

// statusKind sorts an HTTP status into the three looks the style sheet has.
func statusKind(code int) string {
	switch {
	case code >= 200 && code < 400:
		return "good"
	case code >= 400 && code < 500:
		return "warn"
	default:
		return "bad"
	}
}

// pretty indents body if it is JSON and otherwise leaves it alone.
func pretty(body string) string {
	var b bytes.Buffer
	if err := json.Indent(&b, []byte(body), "", "  "); err != nil {
		return body
	}
	return b.String()
}

// times counts in words: "not yet", "once", "3 times".
func times(n int) string {
	switch {
	case n <= 0:
		return "not yet"
	case n == 1:
		return "once"
	default:
		return strconv.Itoa(n) + " times"
	}
}

// firstOf is the first of its arguments that says something.
func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// titleOf is the page's title, or fallback, marked when there is a problem.
func titleOf(p Page, fallback, problem string) string {
	title := firstOf(p.Title, fallback)
	if problem != "" {
		return "Error: " + title
	}
	return title
}
