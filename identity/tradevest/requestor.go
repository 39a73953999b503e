package tradevest

import (
	"net/http"
	"regexp"
	"strings"

	"b2trader.identity.auth/identity/tokenapi"
)

// uuid matches the form of RFC 9562 section 4.
var uuid = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)

// requestorID is the header that most operations of the API require.
const requestorID = "Requestor-ID"

// Transport returns an http.RoundTripper for API calls: it adds
// Config.RequestorID as Requestor-ID and sends the request by base. A request
// with a Requestor-ID of its own keeps it; Header["Requestor-Id"] = nil keeps the
// header out. Base, such as a vault.Transport, adds the bearer. Nil:
// tokenapi.APITransport.
func (c *Client) Transport(base http.RoundTripper) http.RoundTripper {
	if base == nil {
		base = tokenapi.APITransport()
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
