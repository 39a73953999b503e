package httpx

import (
	"errors"
	"net"
	"net/url"
	"strings"

	"b2trader.identity.auth/identity/tokenapi"
)

// A Peer is a server as one client sees it.
type Peer struct {
	System string // the client's package, for errors
	HTTP   tokenapi.HTTP
	Base   *url.URL // without a trailing slash
}

// NewPeer parses the URL of Config.URL and completes h. It returns every problem, for [ConfigError].
func NewPeer(system, rawURL string, h tokenapi.HTTP) (Peer, []error) {
	p := Peer{System: system, HTTP: h.WithDefaults()}
	problems := []error{CheckDuration("HTTP.Timeout", h.Timeout)}
	if rawURL == "" {
		return p, append(problems, Missing("URL", true))
	}
	base, err := ParseURL(strings.TrimRight(rawURL, "/"), h.InsecureAllowHTTP)
	switch {
	case err != nil:
		problems = append(problems, FieldError("URL", err))
	case base.RawQuery != "":
		problems = append(problems, FieldError("URL", errors.New("must have no query")))
	}
	p.Base = base
	return p, problems
}

// URL joins path, which begins with a slash, to the peer's URL, whose own path stays: a server may live below a prefix.
func (p Peer) URL(path string) string { return p.Base.String() + path }

// ParseURL accepts https everywhere, http on loopback or if insecure, and neither userinfo nor fragment. Its errors do
// not repeat raw, which may hold a password.
func ParseURL(raw string, insecure bool) (*url.URL, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return nil, errors.New("cannot be parsed")
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, errors.New("must begin with https://")
	case u.Hostname() == "":
		return nil, errors.New("has no host")
	case u.User != nil:
		return nil, errors.New("must not hold a user name or password")
	case u.Fragment != "":
		return nil, errors.New("must have no fragment")
	case u.Scheme == "http" && !insecure && !isLoopback(u.Hostname()):
		return nil, errors.New("must be https: http is for loopback only, unless InsecureAllowHTTP is set")
	}
	return u, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
