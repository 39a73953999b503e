package gateway

import (
	"net/http"
	"net/url"
	"strings"

	"b2trader.identity.auth/web/internal/answer"
	"b2trader.identity.auth/web/internal/request"
)

// requestedWith is the header that every API call must carry, with any value. A
// page of another site cannot send it without a preflight request (Fetch,
// "CORS-preflight fetch"), which this site never allows.
const requestedWith = "X-Requested-With"

// background is the value of requestedWith for calls that a person did not
// cause. They are no use of the session.
const background = "background"

// siteOrigin returns the origin of siteURL as browsers write it (RFC 6454,
// section 6.2).
func siteOrigin(siteURL string) string {
	u, err := url.Parse(siteURL)
	if err != nil {
		return "" // no request has an empty origin
	}
	host := strings.ToLower(u.Host)
	switch u.Scheme {
	case "https":
		host = strings.TrimSuffix(host, ":443")
	case "http":
		host = strings.TrimSuffix(host, ":80")
	}
	return u.Scheme + "://" + host
}

// proveOrigin returns the refusal of a call that does not prove that a page of
// this site sent it, or nil. The proof is the header requestedWith. Websockets
// and EventSource cannot set headers: for them it is Origin or Sec-Fetch-Site,
// which pages cannot choose.
func (g *Gateway) proveOrigin(r *http.Request) error {
	origins, site := r.Header["Origin"], r.Header.Get("Sec-Fetch-Site")
	own := len(origins) == 1 && origins[0] == g.origin
	if len(origins) > 0 && !own || site != "" && site != "same-origin" {
		return crossOriginCall()
	}
	switch {
	case isWebSocket(r):
		if own {
			return nil
		}
		return crossOriginCall()
	case r.Header.Get(requestedWith) != "":
		return nil
	case r.Method == http.MethodGet && request.MediaType(r.Header.Get("Accept")) == eventStream && (own || site != ""):
		return nil
	}
	return &answer.Error{Status: http.StatusForbidden, Code: "header_required"}
}

func crossOriginCall() error {
	return &answer.Error{Status: http.StatusForbidden, Code: "cross_origin.call"}
}

// isWebSocket reports whether r is the handshake of a websocket (RFC 6455,
// section 4.1). The gateway switches to no other protocol, and "MUST ignore an
// Upgrade header field that is received in an HTTP/1.0 request" (RFC 9110
// section 7.8).
func isWebSocket(r *http.Request) bool {
	upgrade := r.Header["Upgrade"]
	if len(upgrade) != 1 || r.Method != http.MethodGet || r.ProtoMajor != 1 || r.ProtoMinor == 0 || !strings.EqualFold(upgrade[0], "websocket") {
		return false
	}
	for _, value := range r.Header["Connection"] {
		for token := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.TrimSpace(token), "upgrade") {
				return true
			}
		}
	}
	return false
}
