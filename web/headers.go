package web

import "net/http"

// contentSecurityPolicy allows what this server itself serves, as files, and
// nothing else: no inline script or style, no frames, no plug-ins (CSP Level 3).
const contentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; " +
	"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"

// permissionsPolicy switches off what these pages never need.
const permissionsPolicy = "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), " +
	"magnetometer=(), microphone=(), payment=(), usb=()"

// securityHeaders sets the headers that every answer carries. It comes before
// everything that may answer, so that errors carry them too; the handler of
// static files replaces Cache-Control.
func securityHeaders(https bool) middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if forAPI(r) && !isNavigation(r) {
				setAPIHeaders(w.Header(), https)
			} else {
				setSecurityHeaders(w.Header(), https)
			}
			next.ServeHTTP(w, r)
		})
	}
}

// The values are shared by all answers: whoever changes one replaces it.
var (
	pagePolicy  = []string{contentSecurityPolicy}
	permissions = []string{permissionsPolicy}
	sameOrigin  = []string{"same-origin"}
	noSniff     = []string{"nosniff"}
	noFrames    = []string{"DENY"}
	noStore     = []string{"no-store"}
	twoYears    = []string{"max-age=63072000"}
)

func setSecurityHeaders(h http.Header, https bool) {
	h["Content-Security-Policy"] = pagePolicy
	h["X-Content-Type-Options"] = noSniff
	// Not "no-referrer": with it browsers send "Origin: null" on form posts (Fetch,
	// "append a request Origin header"), and those without Sec-Fetch-Site would be refused.
	h["Referrer-Policy"] = sameOrigin
	h["Cross-Origin-Opener-Policy"] = sameOrigin
	h["Cross-Origin-Resource-Policy"] = sameOrigin
	h["Permissions-Policy"] = permissions
	h["X-Frame-Options"] = noFrames // for browsers that do not know frame-ancestors
	h["Cache-Control"] = noStore
	if https {
		h["Strict-Transport-Security"] = twoYears // RFC 6797
	}
}
