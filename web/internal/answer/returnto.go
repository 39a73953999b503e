package answer

import (
	"net/url"
	"slices"
	"strings"
)

// AfterSignIn is the page that a sign-in leads to by default.
const AfterSignIn = "/account"

// maxReturnTo bounds the path that a sign-in leads back to, in bytes.
const maxReturnTo = 512

// ReturnTo returns the page to lead to after a sign-in: raw if LocalPath accepts
// it and it does not ask to sign in again, AfterSignIn otherwise.
func ReturnTo(raw string) string {
	local := LocalPath(raw)
	path, _, _ := strings.Cut(local, "?")
	if local == "" || path == "/sign-in" || strings.HasPrefix(path, "/sign-in/") {
		return AfterSignIn
	}
	return local
}

// LocalPath returns raw, a path with or without a query, if it is on this site,
// and "" otherwise. It refuses everything that any browser or proxy might read
// as another host: "//host", "/\host", backslashes, control characters, white
// space, absolute URLs, dot segments, and all of these percent-encoded any number
// of times.
func LocalPath(raw string) string {
	if len(raw) > maxReturnTo || !plainLocal(raw) {
		return ""
	}
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" {
		return ""
	}
	path := u.EscapedPath()
	for decoded := path; ; {
		if !plainLocal(decoded) || hasDotSegment(decoded) {
			return ""
		}
		next, err := url.PathUnescape(decoded)
		if err != nil {
			return ""
		}
		if next == decoded {
			break
		}
		decoded = next
	}
	if u.RawQuery != "" {
		return path + "?" + u.RawQuery
	}
	return path
}

// plainLocal reports whether s starts with exactly one slash, has no empty
// segment and consists of printable ASCII without white space and backslash.
func plainLocal(s string) bool {
	if !strings.HasPrefix(s, "/") {
		return false
	}
	path, _, _ := strings.Cut(s, "?")
	if strings.Contains(path, "//") {
		return false
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f || s[i] == '\\' {
			return false
		}
	}
	return true
}

// hasDotSegment reports whether a segment of path is "." or "..".
func hasDotSegment(path string) bool {
	return slices.ContainsFunc(strings.Split(path, "/"), func(segment string) bool { return segment == "." || segment == ".." })
}
