package web

import (
	"fmt"
	"strings"

	"b2trader.identity.auth/web/internal/request"
)

// maxUserAgent bounds the User-Agent that a session keeps, in bytes.
const maxUserAgent = 200

// The names in a User-Agent, the more specific first: that of Edge has also
// "Chrome", and that of Chrome has also "Safari".
var (
	browserNames = []struct{ mark, name string }{
		{"Edg", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser/", "Samsung Internet"}, {"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"},
		{"CriOS/", "Chrome"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"},
	}
	systemNames = []struct{ mark, name, kind string }{
		{"iPhone", "iPhone", "phone"}, {"iPad", "iPad", "phone"}, {"Android", "Android", "phone"}, {"Windows", "Windows", "computer"},
		{"Mac OS X", "macOS", "computer"}, {"CrOS", "ChromeOS", "computer"}, {"Linux", "Linux", "computer"},
	}
)

// deviceOf returns a User-Agent as people read it, "Firefox on Linux", and the
// kind of the device for its icon, or "". It repeats an unknown User-Agent. It
// only helps people to recognise their devices: clients write any text into it.
func (s *site) deviceOf(userAgent string) (name, kind string) {
	browser, system := "", ""
	for _, b := range browserNames {
		if browser == "" && strings.Contains(userAgent, b.mark) {
			browser = b.name
		}
	}
	for _, n := range systemNames {
		if system == "" && strings.Contains(userAgent, n.mark) {
			system, kind = n.name, n.kind
		}
	}
	switch {
	case browser != "" && system != "":
		return fmt.Sprintf(s.texts.Sessions.Device, browser, system), kind
	case userAgent == "":
		return s.texts.Sessions.UnknownDevice, kind
	}
	return request.Clip(strings.ToValidUTF8(userAgent, ""), 60), kind
}
