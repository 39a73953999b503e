package web

import (
	"net/url"
	"strings"
)

// afterSignIn is where a sign-in leads that names no place of its own.
const afterSignIn = "/account"

// maxReturnTo bounds the paths a sign-in may come back to, in bytes.
const maxReturnTo = 512

// returnTo gives the place to go after a sign-in: raw if it is a path on this
// site, afterSignIn otherwise. Everything that any browser or proxy might read
// as another host is refused, not repaired: "//host", "/\host", backslashes,
// control characters, white space, absolute URLs, dot segments, and all of
// these in percent-encoded form, however often encoded.
func returnTo(raw string) string {
	if len(raw) > maxReturnTo || !plainLocal(raw) {
		return afterSignIn
	}
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" {
		return afterSignIn
	}
	path := u.EscapedPath()
	for decoded := path; ; {
		if !plainLocal(decoded) || hasDotSegment(decoded) {
			return afterSignIn
		}
		next, err := url.PathUnescape(decoded)
		if err != nil {
			return afterSignIn
		}
		if next == decoded {
			break
		}
		decoded = next
	}
	if path == "/sign-in" || strings.HasPrefix(path, "/sign-in/") {
		return afterSignIn // it would ask again right after the answer
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
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}
