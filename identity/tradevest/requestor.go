package tradevest

import (
	"net/http"
	"strings"
)

// requestorID is the header that most operations of the API require.
const requestorID = "Requestor-ID"

// Transport returns an http.RoundTripper for API calls: it adds
// Config.RequestorID as Requestor-ID and sends the request by base. A request
// with a Requestor-ID of its own keeps it; Header["Requestor-Id"] = nil keeps the
// header out. Base, such as a vault.Transport, adds the bearer. Nil:
// http.DefaultTransport.
func (c *Client) Transport(base http.RoundTripper) http.RoundTripper {
	if base == nil {
		base = http.DefaultTransport
	}
	return &requestor{id: c.config.RequestorID, base: base}
}

// requestor adds the header.
type requestor struct {
	id   string // empty: adds no header
	base http.RoundTripper
}

// RoundTrip sends a copy of req if it adds the header.
func (t *requestor) RoundTrip(req *http.Request) (*http.Response, error) {
	if t.id == "" || hasRequestor(req.Header) {
		return t.base.RoundTrip(req)
	}
	out := req.Clone(req.Context())
	out.Header.Set(requestorID, t.id)
	return t.base.RoundTrip(out)
}

// hasRequestor looks for the header in any letter case, because a caller may
// have set it in the map directly.
func hasRequestor(h http.Header) bool {
	for name := range h {
		if strings.EqualFold(name, requestorID) {
			return true
		}
	}
	return false
}

// isUUID reports whether s has the form of RFC 9562 section 4: hexadecimal
// digits of either case in groups of 8, 4, 4, 4 and 12, with hyphens between.
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
