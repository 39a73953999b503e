package templates

import (
	"testing"
	"time"
)

func TestLeft(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0 s", 0: "0 s", 1: "1 s", time.Second: "1 s", 1001 * time.Millisecond: "2 s",
		89 * time.Second: "89 s", 90 * time.Second: "2 min", 28*time.Minute + time.Millisecond: "29 min", 5 * time.Minute: "5 min",
		89*time.Minute + time.Second: "1 h 30 min", 48*time.Hour - time.Second: "2 days", 48*time.Hour + time.Second: "3 days",
		90 * time.Minute: "1 h 30 min", 598 * time.Minute: "9 h 58 min", 720 * time.Hour: "30 days", 10 * time.Hour: "10 h", 10*time.Hour - time.Minute: "9 h 59 min",
	} {
		if got := English.left(d); got != want {
			t.Errorf("left(%v) is %q, want %q", d, got, want)
		}
	}
}

// app.js writes the same texts by Intl.RelativeTimeFormat.
func TestAgo(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "just now", 59 * time.Second: "just now", time.Minute: "1 minute ago", 119 * time.Second: "1 minute ago", 59 * time.Minute: "59 minutes ago",
		time.Hour: "1 hour ago", 47 * time.Hour: "47 hours ago", 48 * time.Hour: "2 days ago",
	} {
		if got := English.Formats.Ago(d); got != want {
			t.Errorf("Ago(%v) = %q, want %q", d, got, want)
		}
	}
	if got := German.Formats.Ago(2*time.Minute) + German.Formats.Ago(time.Hour); got != "vor 2 Minutenvor 1 Stunde" {
		t.Errorf("Ago in German = %q", got)
	}
}

func TestTimesAreUTC(t *testing.T) {
	moscow := time.Date(2026, 1, 2, 2, 30, 0, 0, time.FixedZone("MSK", 3*3600))
	if got := English.stamp(moscow); got != "1 Jan 2026, 23:30:00 UTC" {
		t.Errorf("stamp is %q", got)
	}
	if got := English.clock(moscow); got != "23:30:00 UTC" {
		t.Errorf("clock is %q", got)
	}
	if English.stamp(time.Time{}) != "not known" || English.clock(time.Time{}) != "not known" {
		t.Error("the zero time is shown as a time, want \"not known\"")
	}
}
