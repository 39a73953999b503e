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
