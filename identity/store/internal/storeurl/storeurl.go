// Package storeurl describes the URL of a store without its password.
package storeurl

import (
	"regexp"
	"strings"
)

var scheme = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]{0,19}$`)

// Scheme returns the scheme of a URL with "://…" behind it, such as
// "postgres://…", even if the rest of the URL cannot be parsed. It returns
// "it" if there is no scheme.
func Scheme(url string) string {
	if before, _, found := strings.Cut(url, "://"); found && scheme.MatchString(before) {
		return before + "://…"
	}
	return "it"
}

// Misread reports whether a URL has an @ in its path or fragment. Its password
// then has a /, ? or # that is not written as %XX: net/url takes the user for the
// host and the beginning of the password for the port, which errors would show.
func Misread(url string) bool {
	_, rest, _ := strings.Cut(url, "://")
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		return false
	}
	before, _, found := strings.Cut(rest[end:], "@")
	return found && !strings.Contains(before, "=") // otherwise it is in a parameter, such as user=app@server
}
