package templates

import (
	"cmp"
	"fmt"
	"strconv"
	"time"
	"unicode"
	"unicode/utf8"
)

// stamp formats t with its date in UTC, or says that it is not known.
func (x *Texts) stamp(t time.Time) string {
	if t.IsZero() {
		return x.Formats.Unknown
	}
	return x.Formats.Stamp(t.UTC())
}

// clock formats t's time of day in UTC, or says that it is not known.
func (x *Texts) clock(t time.Time) string {
	if t.IsZero() {
		return x.Formats.Unknown
	}
	return x.Formats.Clock(t.UTC())
}

// product returns the site's name.
func (b *Brand) product() string {
	if b == nil || b.Product == "" {
		return "B2Trader identity"
	}
	return b.Product
}

// machineTime formats t for the attribute datetime of <time>.
func machineTime(t time.Time) string {
	return t.UTC().Format(time.RFC3339)
}

// milliseconds formats t for app.js: the milliseconds since 1970.
func milliseconds(t time.Time) string {
	return strconv.FormatInt(t.UnixMilli(), 10)
}

// left formats d in the largest units that help, rounded up: "23 s", "29 min",
// "9 h 58 min", "10 h". A negative d counts as 0. app.js has the same rules.
func (x *Texts) left(d time.Duration) string {
	minutes := whole(d, time.Minute)
	switch {
	case d < 90*time.Second:
		return fmt.Sprintf(x.Formats.Seconds, whole(d, time.Second))
	case minutes < 90:
		return fmt.Sprintf(x.Formats.Minutes, minutes)
	case minutes < 48*60 && minutes%60 == 0:
		return fmt.Sprintf(x.Formats.Hours, minutes/60)
	case minutes < 48*60:
		return fmt.Sprintf(x.Formats.HoursMinutes, minutes/60, minutes%60)
	default:
		return fmt.Sprintf(x.Formats.Days, whole(d, 24*time.Hour))
	}
}

// whole returns d in units, rounded up, so that a token that is still valid shows
// at least 1.
func whole(d, unit time.Duration) int {
	return int((max(d, 0) + unit - 1) / unit)
}

// titleOf returns the page's title, or usual if it has none, marked as an error
// if the page's form has a problem.
func titleOf(p Page, usual, problem string) string {
	title := cmp.Or(p.Title, usual)
	if problem == "" {
		return title
	}
	return fmt.Sprintf(p.Texts.orEnglish().Frame.ErrorTitle, title)
}

// clientName returns the name of the client with an ID, or the ID if the client
// has no text.
func (x *Texts) clientName(id string) string { return cmp.Or(x.Clients[id].Name, id) }

// initial returns the first letter of name in upper case.
func initial(name string) string {
	first, _ := utf8.DecodeRuneInString(name)
	return string(unicode.ToUpper(first))
}
