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

// deviceOf returns a User-Agent as people read it: "Firefox on Linux". It
// repeats an unknown one. It only helps people to recognise their devices:
// clients write any text into a User-Agent.
func (s *site) deviceOf(userAgent string) string {
	browser, system := "", ""
	for _, b := range browserNames {
		if browser == "" && strings.Contains(userAgent, b.mark) {
			browser = b.name
		}
	}
	for _, n := range systemNames {
		if system == "" && strings.Contains(userAgent, n.mark) {
			system = n.name
		}
	}
	switch {
	case browser != "" && system != "":
		return fmt.Sprintf(s.texts.Sessions.Device, browser, system)
	case userAgent == "":
		return s.texts.Sessions.UnknownDevice
	}
	return request.Clip(strings.ToValidUTF8(userAgent, ""), 60)
}

// deviceKind returns the kind of device that a User-Agent names, for its icon.
func deviceKind(userAgent string) string {
	for _, n := range systemNames {
		if strings.Contains(userAgent, n.mark) {
			return n.kind
		}
	}
	return ""
}
