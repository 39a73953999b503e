package web

import (
	"net/http"
	"net/url"
	"strings"

	"b2trader.identity.auth/web/internal/answer"
)

// requestedWith is the header that every API call must carry, whatever its
// value: a page of another site cannot send it without asking first (Fetch,
// "CORS-preflight fetch"), and that is never allowed.
const requestedWith = "X-Requested-With"

// background is its value for calls that nobody's doing has caused, which are
// no use of the session.
const background = "background"

// siteOrigin is the origin of publicURL as browsers write it (RFC 6454 section 6.2).
func siteOrigin(publicURL string) string {
	u, err := url.Parse(publicURL)
	if err != nil {
		return "" // refused by Config.validate; no request has an empty origin
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

// proof says why r must be refused as another site's, or nil. Every call has to
// prove that a page of this site sent it. Websockets and EventSource cannot set
// headers; theirs is an Origin, or a Sec-Fetch-Site, that pages cannot choose.
func (p *proxy) proof(r *http.Request) error {
	origins, site := r.Header["Origin"], r.Header.Get("Sec-Fetch-Site")
	own := len(origins) == 1 && origins[0] == p.origin
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
	case r.Method == http.MethodGet && strings.HasPrefix(r.Header.Get("Accept"), "text/event-stream") && (own || site != ""):
		return nil
	}
	return &answer.Error{Status: http.StatusForbidden, Code: "header_required"}
}

func crossOriginCall() error {
	return &answer.Error{Status: http.StatusForbidden, Code: "cross_origin.call"}
}

// isWebSocket reports whether r is a websocket's handshake (RFC 6455 section 4.1).
// Other protocols are not switched to.
func isWebSocket(r *http.Request) bool {
	upgrade := r.Header["Upgrade"]
	if len(upgrade) != 1 || r.Method != http.MethodGet || r.ProtoMajor != 1 || !strings.EqualFold(upgrade[0], "websocket") {
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
