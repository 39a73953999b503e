package gateway

import (
	"errors"
	"net/http"
	"strings"

	"b2trader.identity.auth/web/internal/answer"
)

// heldBack lists the response headers of an API that would act on this site as a
// whole or on its other pages.
var heldBack = map[string]bool{
	"Alt-Svc": true, "Authentication-Info": true, "Authorization": true, "Clear-Site-Data": true, "Content-Location": true,
	"Content-Security-Policy": true, "Content-Security-Policy-Report-Only": true, "Cross-Origin-Embedder-Policy": true,
	"Cross-Origin-Opener-Policy": true, "Cross-Origin-Resource-Policy": true, "Nel": true, "Origin-Agent-Cluster": true,
	"Permissions-Policy": true, "Proxy-Authenticate": true, "Public-Key-Pins": true, "Referrer-Policy": true, "Refresh": true,
	"Report-To": true, "Reporting-Endpoints": true, "Service-Worker-Allowed": true, "Set-Cookie": true, "Set-Cookie2": true,
	"Sourcemap": true, "Speculation-Rules": true, "Strict-Transport-Security": true, "Timing-Allow-Origin": true,
	"Www-Authenticate": true, "X-Content-Type-Options": true, "X-Frame-Options": true, "X-Request-Id": true,
}

// modify makes the API's answer an answer of this site.
func (a *api) modify(resp *http.Response) error {
	c := callOf(resp.Request.Context())
	c.status = resp.StatusCode
	h := resp.Header
	for name := range h {
		if heldBack[name] || strings.HasPrefix(name, "Access-Control-") || strings.HasPrefix(name, "X-Forwarded-") {
			delete(h, name)
		}
	}
	if err := a.ownLocation(resp); err != nil {
		return err
	}
	setCacheControl(h)
	switched := resp.StatusCode == http.StatusSwitchingProtocols
	if h["Content-Type"] == nil && resp.ContentLength != 0 && !switched {
		h["Content-Type"] = []string{"application/octet-stream"} // net/http would guess, and might guess HTML
	}
	switch {
	case switched && !isWebSocket(c.in):
		return nil // not asked for: ReverseProxy makes it an error
	case switched || strings.HasPrefix(h.Get("Content-Type"), "text/event-stream"):
		return c.becomeStream(resp)
	}
	return nil
}

// ownLocation turns a Location below the API's base into one of this site. It
// removes any other Location, and returns an error if the answer is a redirect.
func (a *api) ownLocation(resp *http.Response) error {
	location := resp.Header.Get("Location")
	if location == "" {
		return nil
	}
	if own := a.ownPath(resp.Request.URL, location); own != "" {
		resp.Header["Location"] = []string{own}
		return nil
	}
	delete(resp.Header, "Location")
	if resp.StatusCode < 300 || resp.StatusCode > 399 {
		return nil
	}
	return &answer.Error{
		Status: http.StatusBadGateway, Code: "upstream_redirect",
		Err: errors.New("the API redirects beyond its base"),
	}
}

// setCacheControl forbids caching unless the API allows it, and always in shared
// caches: they see a cookie where the API saw Authorization, which would have
// stopped them (RFC 9111 section 3.5). Vary keeps answers of one session from
// another session of the same browser.
func setCacheControl(h http.Header) {
	directives := strings.ToLower(strings.Join(h["Cache-Control"], ","))
	if directives == "" || strings.Contains(directives, "no-store") {
		h["Cache-Control"] = answer.NoStore
		return
	}
	kept := []string{"private"}
	for directive := range strings.SplitSeq(directives, ",") {
		directive = strings.TrimSpace(directive)
		if name, _, _ := strings.Cut(directive, "="); name != "public" && name != "s-maxage" && name != "private" && name != "" {
			kept = append(kept, directive)
		}
	}
	h["Cache-Control"] = []string{strings.Join(kept, ", ")}
	h.Add("Vary", "Cookie")
}
