package gateway

import (
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"b2trader.identity.auth/web/internal/request"
)

// apiTarget splits the path of r into the name of the API and the rest, both
// still escaped, and reports whether it leads to a hub. It accepts only a target
// that every server reads alike: one in origin form (RFC 9112 section 3.2.1) with
// a plain path. Its query has no "#", which ends it for some servers only, and no
// space, which HTTP/2 carries and which ends the target in a request line.
func apiTarget(r *http.Request) (name, rest string, hub, ok bool) {
	u := r.URL
	if u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" {
		return "", "", false, false // absolute form would be harmless, but no browser sends it
	}
	p := u.EscapedPath()
	below, ok := strings.CutPrefix(p, request.APIPrefix)
	if !ok {
		below, hub = strings.CutPrefix(p, request.HubPrefix)
	}
	if !ok && !hub || strings.ContainsAny(u.RawQuery, "# ") || !plainPath(p[1:]) {
		return "", "", false, false
	}
	name, rest, _ = strings.Cut(below, "/")
	return name, rest, hub, true
}

// plainPath reports whether every server reads the segments of an escaped path
// alike, however often it decodes them: only the last may be empty, none is a
// dot segment, even before a path parameter ("..;"), and none hides a slash, a
// backslash or a control character.
func plainPath(escaped string) bool {
	for {
		segment, rest, more := strings.Cut(escaped, "/")
		if segment == "" && more || !plainSegment(segment) {
			return false
		}
		if !more {
			return true
		}
		escaped = rest
	}
}

func plainSegment(s string) bool {
	for range maxDecoding {
		if name, _, _ := strings.Cut(s, ";"); name == "." || name == ".." {
			return false
		}
		escaped := false
		for i := range len(s) {
			switch c := s[i]; {
			case c < ' ', c == 0x7f, c == '/', c == '\\':
				return false
			case c == '%':
				escaped = true
			}
		}
		if !escaped {
			return true
		}
		var err error
		if s, err = url.PathUnescape(s); err != nil || !utf8.ValidString(s) {
			return false // a lone percent sign, or an overlong "/": servers read it in different ways
		}
	}
	return false // each decoding costs as much as the path is long
}

// setTarget directs out to the API's path rest. Scheme, host and base path are
// the configured ones; the request cannot change them. The query is that of the
// incoming request, byte for byte: ReverseProxy has removed from out what
// net/url cannot parse, and a call with fewer filters does more.
func (a *api) setTarget(out *http.Request, rest string, in *url.URL) {
	u := &url.URL{Scheme: a.base.Scheme, Host: a.base.Host, RawQuery: in.RawQuery, ForceQuery: in.ForceQuery}
	u.Path, u.RawPath = a.basePath+rest, ""
	if strings.Contains(rest, "%") || a.basePath != a.escapedBasePath {
		decoded, _ := url.PathUnescape(rest) // plainPath has decoded it already
		u.Path, u.RawPath = a.basePath+decoded, a.escapedBasePath+rest
	}
	out.URL, out.Host = u, ""
}

// ownPath returns the path on this site of an API's Location, which is relative
// to the URL that was asked. It returns "" for a Location that is not below the
// API's base.
func (a *api) ownPath(asked *url.URL, location string) string {
	u, err := asked.Parse(location)
	if err != nil || u.Scheme != a.base.Scheme || !strings.EqualFold(u.Host, a.base.Host) || u.User != nil {
		return ""
	}
	rest, ok := strings.CutPrefix(u.EscapedPath(), a.escapedBasePath)
	if !ok || !plainPath(rest) {
		return ""
	}
	own := url.URL{Path: a.prefix, RawQuery: u.RawQuery, ForceQuery: u.ForceQuery, Fragment: u.Fragment}
	decoded, _ := url.PathUnescape(rest) // plainPath has decoded it already
	own.Path, own.RawPath = a.prefix+decoded, a.prefix+rest
	return own.String()
}
