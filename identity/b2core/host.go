package b2core

import (
	"errors"
	"net/url"
	"slices"
	"strings"

	"b2trader.identity.auth/identity/internal/checkconfig"
	"b2trader.identity.auth/identity/internal/httpx"
)

// An origin is a scheme, a host and a port (RFC 6454 section 4), comparable
// by ==.
type origin struct{ scheme, host, port string }

func originOf(u *url.URL) origin {
	port := u.Port()
	switch {
	case port != "":
	case u.Scheme == "https":
		port = "443"
	default:
		port = "80"
	}
	return origin{u.Scheme, strings.ToLower(u.Hostname()), port}
}

// errNotBare refuses a URL with a query, a fragment or unusual characters.
var errNotBare = errors.New("must be a bare URL")

// parseHost accepts an http or https URL in printable ASCII, without userinfo,
// query and fragment, so that every parser reads the same host.
func parseHost(raw string) (*url.URL, error) {
	if !httpx.HeaderSafe(raw) || strings.ContainsAny(raw, "?#") {
		return nil, errNotBare
	}
	u, err := checkconfig.ParseURL(raw, true)    // also http, which Config.Hosts may list
	if err == nil && !httpx.HeaderSafe(u.Host) { // the host was percent-encoded
		return nil, errNotBare
	}
	return u, err
}

// parseHosts parses Config.Hosts and reports its problems to p.
func parseHosts(p *checkconfig.Problems, raw []string) []origin {
	var hosts []origin
	for i, r := range raw {
		u, err := parseHost(r)
		if err == nil && u.Path != "" && u.Path != "/" {
			err = errors.New("must hold origins, without a path")
		}
		if err != nil {
			p.Add("Hosts", "%w (entry %d)", err, i+1)
			continue
		}
		hosts = append(hosts, originOf(u))
	}
	return hosts
}

// hostProblem returns what is wrong with the host of an answer, or "". A host
// of an expected origin may have a path: the host is "the URL to which the
// request … was sent".
func (c *Client) hostProblem(a answer) string {
	if a.Host == "" {
		return ""
	}
	u, err := parseHost(a.Host)
	switch {
	case err != nil:
		return "its host " + err.Error()
	case !slices.Contains(c.hosts, originOf(u)):
		return "its host is " + httpx.Redact(u.Scheme+"://"+u.Host, string(a.Token), string(a.RefreshToken)) + ", neither that of Config.URL nor one of Config.Hosts"
	}
	return ""
}
