package httpx

import (
	"encoding/json"
	"testing"
	"time"
)

func TestSeconds(t *testing.T) {
	for raw, want := range map[string]time.Duration{
		`"60"`: time.Minute, `60`: time.Minute, `3600.0`: time.Hour, `"3.6e3"`: time.Hour, `" 60 "`: time.Minute, `0`: 0, `-1`: 0, `"-1"`: 0, `0.5`: time.Second / 2,
		`null`: 7, `""`: 7, `"soon"`: 7, `1e300`: 7, `"NaN"`: 7, `"Inf"`: 7, `true`: 7, `{}`: 7, `[60]`: 7, // as if it were not told
	} {
		s := Seconds(7)
		if err := json.Unmarshal([]byte(raw), &s); err != nil || time.Duration(s) != want {
			t.Errorf("%s: got %v, %v, want %v", raw, time.Duration(s), err, want)
		}
	}
}
