package tradevest

import (
	"net/http"
	"strings"
)

// requestorID is the header that most operations of the API want.
const requestorID = "Requestor-ID"

// Transport returns an http.RoundTripper for API calls, most of which must say who acts: it sends each request by base, with
// Config.RequestorID as its Requestor-ID. A request that brings its own keeps it; one that is to have none brings
// Header["Requestor-Id"] = nil. Base, such as a vault.Transport, adds the bearer. Nil: http.DefaultTransport.
func (c *Client) Transport(base http.RoundTripper) http.RoundTripper {
	if base == nil {
		base = http.DefaultTransport
	}
	return &requestor{id: c.config.RequestorID, base: base}
}

// requestor adds the header.
type requestor struct {
	id   string // empty: nothing is added
	base http.RoundTripper
}

// RoundTrip sends a copy of req if it adds something to it.
func (t *requestor) RoundTrip(req *http.Request) (*http.Response, error) {
	if t.id == "" || hasRequestor(req.Header) {
		return t.base.RoundTrip(req)
	}
	out := req.Clone(req.Context())
	out.Header.Set(requestorID, t.id)
	return t.base.RoundTrip(out)
}

// hasRequestor looks for the header in any letter case: whoever sets it in the map need not spell it as net/http does.
func hasRequestor(h http.Header) bool {
	for name := range h {
		if strings.EqualFold(name, requestorID) {
			return true
		}
	}
	return false
}

// isUUID reports whether s has the form of RFC 9562 section 4: 36 characters, hexadecimal digits of either case in groups of 8, 4,
// 4, 4 and 12, and hyphens between.
func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		switch i {
		case 8, 13, 18, 23:
			if s[i] != '-' {
				return false
			}
		default:
			if !strings.ContainsRune("0123456789abcdefABCDEF", rune(s[i])) {
				return false
			}
		}
	}
	return true
}
