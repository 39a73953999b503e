package showcase

import (
	"testing"
	"time"
)

func TestTook(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-1: "0 ms", 0: "0 ms", 400 * time.Microsecond: "0.4 ms", 84 * time.Millisecond: "84 ms",
		999 * time.Millisecond: "999 ms", 999_600 * time.Microsecond: "1.00 s", 1240 * time.Millisecond: "1.24 s",
	} {
		if got := took(d); got != want {
			t.Errorf("took(%v) is %q, want %q", d, got, want)
		}
	}
}

func TestPrettyLeavesWhatIsNotJSON(t *testing.T) {
	for body, want := range map[string]string{`{"a":[1]}`: "{\n  \"a\": [\n    1\n  ]\n}", "<html>": "<html>", `{"a":`: `{"a":`, "": ""} {
		if got := pretty(body); got != want {
			t.Errorf("pretty(%q) is %q", body, got)
		}
	}
}

func TestStatus(t *testing.T) {
	for code, want := range map[int][2]string{
		0: {"no answer", "bad"}, 200: {"200 OK", "good"}, 302: {"302 Found", "good"}, 403: {"403 Forbidden", "warn"},
		503: {"503 Service Unavailable", "bad"}, 799: {"799", "bad"}, 102: {"102 Processing", "bad"},
	} {
		if got := [2]string{statusLine(code), statusKind(code)}; got != want {
			t.Errorf("%d is %q, want %q", code, got, want)
		}
	}
}
