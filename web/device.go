package web

import (
	"strings"

	"b2trader.identity.auth/web/internal/request"
)

// maxUserAgent bounds what is kept of a browser's name for itself, in bytes.
const maxUserAgent = 200

// The names that a User-Agent gives away, the more telling first: Edge also
// says Chrome, and Chrome also says Safari.
var (
	browserNames = []struct{ mark, name string }{
		{"Edg", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser/", "Samsung Internet"}, {"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"},
		{"CriOS/", "Chrome"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"},
	}
	systemNames = []struct{ mark, name string }{
		{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"Windows", "Windows"},
		{"Mac OS X", "macOS"}, {"CrOS", "ChromeOS"}, {"Linux", "Linux"},
	}
)

// deviceOf is a User-Agent as people read it: "Firefox on Linux". What it does
// not know it repeats. It is a help to recognise one's own devices and nothing
// is decided by it: every client writes there what it likes.
func deviceOf(userAgent string) string {
	browser, system := "", ""
	for _, b := range browserNames {
		if browser == "" && strings.Contains(userAgent, b.mark) {
			browser = b.name
		}
	}
	for _, s := range systemNames {
		if system == "" && strings.Contains(userAgent, s.mark) {
			system = s.name
		}
	}
	switch {
	case browser != "" && system != "":
		return browser + " on " + system
	case userAgent == "":
		return "Unknown device"
	}
	return request.Clip(strings.ToValidUTF8(userAgent, ""), 60)
}
