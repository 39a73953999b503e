package answer

import (
	"net/http"

	"b2trader.identity.auth/web/internal/request"
)

// contentSecurityPolicy allows only files that this site serves: no inline
// script or style, no frames, no plug-ins (CSP Level 3).
const contentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; " +
	"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"

// apiSecurityPolicy stops an API's answer from running as a page on this
// origin (CSP Level 3, "sandbox").
const apiSecurityPolicy = "sandbox; default-src 'none'; frame-ancestors 'none'"

// permissionsPolicy switches off what the pages never need.
const permissionsPolicy = "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), " +
	"magnetometer=(), microphone=(), payment=(), usb=()"

// All answers share these values. Code that changes one replaces the slice.
var (
	pagePolicy  = []string{contentSecurityPolicy}
	apiPolicy   = []string{apiSecurityPolicy}
	permissions = []string{permissionsPolicy}
	sameOrigin  = []string{"same-origin"}
	noSniff     = []string{"nosniff"}
	noFrames    = []string{"DENY"}
	twoYears    = []string{"max-age=63072000"}
	subDomains  = []string{"max-age=63072000; includeSubDomains"}

	// NoStore is the Cache-Control of answers that no cache may keep.
	NoStore = []string{"no-store"}
)

// HSTS returns the Strict-Transport-Security of a site that browsers reach by
// https (RFC 6797).
func HSTS(includeSubDomains bool) []string {
	if includeSubDomains {
		return subDomains
	}
	return twoYears
}

// SecurityHeaders sets the headers that every answer has, errors included. The
// handler of static files replaces Cache-Control. hsts is from HSTS, or nil.
func SecurityHeaders(hsts []string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if request.ForAPI(r) && !request.IsNavigation(r) {
				setAPIHeaders(w.Header(), hsts)
			} else {
				setPageHeaders(w.Header(), hsts)
			}
			next.ServeHTTP(w, r)
		})
	}
}

// ResetHeaders removes what a handler has set for an answer that will not be
// sent, and sets the headers of an error page.
func ResetHeaders(h http.Header, hsts []string) {
	id := h.Get("X-Request-Id")
	clear(h)
	h.Set("X-Request-Id", id)
	setPageHeaders(h, hsts)
}

// dropBodyHeaders removes what a handler has set for a body that it did not
// send: an error has another body, of which no cache may keep anything.
func dropBodyHeaders(h http.Header) {
	for _, name := range []string{
		"Accept-Ranges", "Content-Disposition", "Content-Encoding", "Content-Language", "Content-Length", "Content-Range",
		"Etag", "Expires", "Last-Modified",
	} {
		delete(h, name)
	}
	h["Cache-Control"] = NoStore
}

func setPageHeaders(h http.Header, hsts []string) {
	setAPIHeaders(h, hsts)
	h["Content-Security-Policy"] = pagePolicy
	// Not "no-referrer": with it browsers send "Origin: null" on form posts
	// (Fetch, "append a request Origin header"), and the posts of browsers
	// without Sec-Fetch-Site would be refused.
	h["Referrer-Policy"] = sameOrigin
	h["Cross-Origin-Opener-Policy"] = sameOrigin
	h["Permissions-Policy"] = permissions
	h["X-Frame-Options"] = noFrames // for browsers without frame-ancestors
}

// setAPIHeaders sets the headers of an API's answer, which no page is made of. A
// page has them, too, but for the policy.
func setAPIHeaders(h http.Header, hsts []string) {
	h["Content-Security-Policy"] = apiPolicy
	h["X-Content-Type-Options"] = noSniff
	h["Cross-Origin-Resource-Policy"] = sameOrigin
	h["Cache-Control"] = NoStore
	if hsts != nil {
		h["Strict-Transport-Security"] = hsts
	}
}
