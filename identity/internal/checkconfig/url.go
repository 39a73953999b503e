package checkconfig

import (
	"errors"
	"net"
	"net/url"
	"strings"
)

// URL is [Problems.URLWithQuery] for a URL that must have no query.
func (p *Problems) URL(field, raw string, allowHTTP bool) *url.URL {
	u := p.URLWithQuery(field, raw, allowHTTP)
	if u != nil && (u.RawQuery != "" || u.ForceQuery) {
		p.Add(field, "must have no query")
		return nil
	}
	return u
}

// URLWithQuery parses the URL of a field by the rules of [ParseURL]. It reports
// an empty raw as missing. It returns nil if there is a problem.
func (p *Problems) URLWithQuery(field, raw string, allowHTTP bool) *url.URL {
	if raw == "" {
		p.Missing(field, true)
		return nil
	}
	u, err := ParseURL(raw, allowHTTP)
	p.Check(field, err)
	return u
}

// Path reports a field whose path cannot be appended to a server's URL: it must
// begin with a slash, and have neither query nor fragment.
func (p *Problems) Path(field, path string) {
	if !strings.HasPrefix(path, "/") {
		p.Add(field, "must begin with a slash")
		return
	}
	p.URL(field, "https://host"+path, false)
}

// Scopes reports every element that RFC 6749 section 3.3 does not allow in a
// scope: 1*( %x21 / %x23-5B / %x5D-7E ).
func (p *Problems) Scopes(field string, scopes []string) {
	var invalid []string
	for _, scope := range scopes {
		if scope == "" || strings.ContainsFunc(scope, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }) {
			invalid = append(invalid, scope)
		}
	}
	if invalid != nil {
		p.Add(field, "contains an invalid scope (RFC 6749 section 3.3): %q", invalid)
	}
}

// ParseURL parses an absolute URL with neither user name nor fragment. The
// scheme must be https; http is for loopback, unless allowHTTP is set. The
// errors follow a field's name and do not repeat raw, which may hold a
// password.
func ParseURL(raw string, allowHTTP bool) (*url.URL, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return nil, errors.New("cannot be parsed")
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, errors.New("must begin with https://")
	case u.Hostname() == "":
		return nil, errors.New("has no host")
	case u.User != nil:
		return nil, errors.New("must not contain a user name or password")
	case u.Fragment != "":
		return nil, errors.New("must have no fragment")
	case u.Scheme == "http" && !allowHTTP && !IsLoopback(u.Hostname()):
		return nil, errors.New("must be https: http is for loopback only, unless InsecureAllowHTTP is set")
	}
	return u, nil
}

// IsLoopback reports whether host, a name or an IP address without a port, is
// this machine's loopback interface.
func IsLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
