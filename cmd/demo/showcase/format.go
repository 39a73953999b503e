package showcase

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// took formats a measured duration: "0.4 ms", "84 ms", "1.24 s".
func took(d time.Duration) string {
	ms := float64(d) / float64(time.Millisecond)
	switch {
	case ms < 0.05:
		return "0 ms"
	case ms < 10:
		return strconv.FormatFloat(ms, 'f', 1, 64) + " ms"
	case ms < 999.5:
		return strconv.FormatFloat(ms, 'f', 0, 64) + " ms"
	default:
		return strconv.FormatFloat(ms/1000, 'f', 2, 64) + " s"
	}
}

// statusLine formats an HTTP status with its name; 0 means no answer.
func statusLine(code int) string {
	if code == 0 {
		return "no answer"
	}
	if text := http.StatusText(code); text != "" {
		return strconv.Itoa(code) + " " + text
	}
	return strconv.Itoa(code)
}

// statusKind returns the look of an HTTP status in the style sheet: good, warn
// or bad.
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

// pretty indents body if it is JSON, and otherwise returns it unchanged.
func pretty(body string) string {
	var b bytes.Buffer
	if err := json.Indent(&b, []byte(body), "", "  "); err != nil {
		return body
	}
	return b.String()
}
