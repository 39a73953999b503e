package b2core

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"b2trader.identity.auth/identity/internal/httpx"
)

// An origin is a scheme, a host and a port, so that equal ones are equal (RFC 6454 section 4).
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

// errNotBare says that a URL holds more than a place.
var errNotBare = errors.New("must be a bare URL")

// parseHost accepts an http or https URL without userinfo, query and fragment, in printable ASCII, so that every reader of it
// sees the same host.
func parseHost(raw string) (*url.URL, error) {
	if !httpx.HeaderSafe(raw) || strings.ContainsAny(raw, "?#") {
		return nil, errNotBare
	}
	u, err := httpx.ParseURL(raw, true)          // http too: what matters is whether it is expected
	if err == nil && !httpx.HeaderSafe(u.Host) { // it was percent-encoded
		return nil, errNotBare
	}
	return u, err
}

// parseHosts parses Config.Hosts, and returns every problem.
func parseHosts(raw []string) ([]origin, []error) {
	var hosts []origin
	var problems []error
	for i, r := range raw {
		u, err := parseHost(r)
		if err == nil && u.Path != "" && u.Path != "/" {
			err = errors.New("must hold origins, without a path")
		}
		if err != nil {
			problems = append(problems, httpx.FieldError("Hosts", fmt.Errorf("%w (entry %d)", err, i+1)))
			continue
		}
		hosts = append(hosts, originOf(u))
	}
	return hosts, problems
}

// hostProblem says what is wrong with the host of an answer; "" if nothing. A host of the right origin may have a path: it
// is "the URL to which the request … was sent".
func (c *Client) hostProblem(a answer) string {
	if a.Host == "" {
		return ""
	}
	u, err := parseHost(a.Host)
	switch {
	case err != nil:
		return "its host " + err.Error()
	case !slices.Contains(c.hosts, originOf(u)):
		return "its host is " + httpx.Clean(u.Scheme+"://"+u.Host, a.Token, a.RefreshToken) + ", neither that of Config.URL nor one of Config.Hosts"
	}
	return ""
}
