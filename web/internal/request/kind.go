package request

import (
	"net/http"
	"path"
	"strings"
)

// APIPrefix is the path below which the gateway serves the APIs.
const APIPrefix = "/api/"

// HubPrefix is the path below which the gateway serves the websockets of the
// APIs' hubs.
const HubPrefix = "/ws/"

// ForAPI reports whether r is for an API. It also reports true for a path that
// leads below APIPrefix or HubPrefix only after cleaning ("//api/x",
// "/a/../api/x"), so that such a call gets an error and not a redirect.
func ForAPI(r *http.Request) bool {
	p := r.URL.Path
	if BelowAPIs(p) {
		return true
	}
	if !strings.Contains(p, "/api") && !strings.Contains(p, "/ws") {
		return false
	}
	return BelowAPIs(path.Clean(p))
}

// BelowAPIs reports whether a path of this site belongs to the gateway.
func BelowAPIs(p string) bool {
	return strings.HasPrefix(p, APIPrefix) || strings.HasPrefix(p, HubPrefix) || p == "/api" || p == "/ws"
}

// IsNavigation reports whether a browser asks for a page to show to a person
// (Fetch Metadata, section 2.2).
func IsNavigation(r *http.Request) bool { return r.Header.Get("Sec-Fetch-Mode") == "navigate" }

// FromOtherSite reports whether a link on another site led here. The browser
// then sends no SameSite=Strict cookie, so the session is not known.
func FromOtherSite(r *http.Request) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	return (site == "cross-site" || site == "same-site") && IsNavigation(r)
}

// MediaType returns the first media type of a header, in lower case and without
// parameters (RFC 9110 section 8.3.1).
func MediaType(header string) string {
	first, _, _ := strings.Cut(header, ",")
	first, _, _ = strings.Cut(first, ";")
	return strings.ToLower(strings.TrimSpace(first))
}

// WantsJSON reports whether a script sent r. A script gets errors in JSON.
func WantsJSON(r *http.Request) bool {
	accept := strings.ToLower(r.Header.Get("Accept"))
	return r.URL.Path == "/session" || ForAPI(r) && !IsNavigation(r) || r.Header.Get("X-Requested-With") != "" ||
		strings.Contains(accept, "application/json") && !strings.Contains(accept, "text/html")
}
