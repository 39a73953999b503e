package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
	"time"

	"b2trader.identity.auth/web/internal/answer"
)

// usualAnswerHeaders lists the response headers of an API that are passed on. A
// list of the forbidden ones could not be complete: each cache and proxy in
// front of this site may obey headers of its own, such as X-Accel-Redirect,
// Surrogate-Control and CDN-Cache-Control (RFC 9213).
var usualAnswerHeaders = []string{
	"Accept-Patch", "Accept-Post", "Accept-Ranges", "Age", "Allow", "Cache-Control", "Content-Digest", "Content-Disposition",
	"Content-Encoding", "Content-Language", "Content-Length", "Content-Md5", "Content-Range", "Content-Type", "Date",
	"Deprecation", "Digest", "Etag", "Expires", "Idempotency-Key", "Last-Modified", "Link", "Location", "Preference-Applied",
	"Ratelimit", "Repr-Digest", "Retry-After", "Sec-Websocket-Accept", "Sec-Websocket-Extensions", "Sec-Websocket-Protocol",
	"Sec-Websocket-Version", "Sunset", "Traceparent", "Traceresponse", "Tracestate", "Vary", "X-Correlation-Id",
	"X-Total-Count", "X-Trace-Id",
}

// usualAnswerPrefixes begin the names of further ones.
var usualAnswerPrefixes = []string{"Ratelimit-", "X-Ratelimit-", "X-Rate-Limit-"}

// ForwardableAnswerHeader reports whether a response header can be passed on.
// It cannot if this site sets it, if it would act on the site as a whole or on
// its other pages, or if it concerns one connection only.
func ForwardableAnswerHeader(name string) bool {
	name = textproto.CanonicalMIMEHeaderKey(name)
	for _, prefix := range []string{"Access-Control-", "Content-Security-Policy", "Cross-Origin-", "Proxy-", "X-Forwarded-"} {
		if strings.HasPrefix(name, prefix) {
			return false
		}
	}
	return !slices.Contains([]string{
		"", "Alt-Svc", "Authentication-Info", "Authorization", "Clear-Site-Data", "Connection", "Content-Location", "Keep-Alive",
		"Nel", "Origin-Agent-Cluster", "Permissions-Policy", "Public-Key-Pins", "Referrer-Policy", "Refresh", "Report-To",
		"Reporting-Endpoints", "Service-Worker-Allowed", "Set-Cookie", "Set-Cookie2", "Sourcemap", "Speculation-Rules",
		"Strict-Transport-Security", "Timing-Allow-Origin", "Trailer", "Transfer-Encoding", "Upgrade", "Www-Authenticate",
		"X-Content-Type-Options", "X-Frame-Options", "X-Request-Id",
	}, name)
}

// passes reports whether the response header name, in its canonical form, is
// passed on. Connection and Upgrade belong to a websocket's handshake.
func (a *api) passes(name string, switched bool) bool {
	if a.answerHeaders[name] || switched && (name == "Connection" || name == "Upgrade") {
		return true
	}
	return slices.ContainsFunc(usualAnswerPrefixes, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

// adopt makes the API's answer an answer of this site.
func (c *call) adopt(resp *http.Response) error {
	a := c.api
	c.status = resp.StatusCode
	if c.status < http.StatusContinue {
		return fmt.Errorf("the API answers with status %03d", c.status) // net/http writes no such answer
	}
	if c.hub {
		return c.adoptHub(resp)
	}
	h := resp.Header
	switched := resp.StatusCode == http.StatusSwitchingProtocols
	for name := range h {
		if !a.passes(name, switched) {
			delete(h, name)
		}
	}
	if err := a.ownLocation(resp); err != nil {
		return err
	}
	setCacheControl(h)
	if h["Content-Type"] == nil && resp.ContentLength != 0 && !switched {
		h["Content-Type"] = []string{"application/octet-stream"} // net/http would guess, and might guess HTML
	}
	switch {
	case switched && !isWebSocket(c.asked):
		return errors.New("the API switches to another protocol, unasked")
	case switched || isStream(h):
		return c.becomeStream(resp)
	}
	return nil
}

// ownLocation turns a Location below the API's base into one of this site. It
// removes any other Location, and returns an error if the answer is a redirect.
func (a *api) ownLocation(resp *http.Response) error {
	location := resp.Header.Get("Location")
	if location == "" {
		delete(resp.Header, "Location") // another may follow an empty one
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

const (
	smallHeader  = 8       // lines; net/http copies a header of more into maps of twice the size
	serverBuffer = 2 << 10 // bytes; net/http writes the length of an answer that fits
)

// leaveToServer removes lines from a header that is not small, if the server
// writes the same: the length of a short answer, and a Date of this second.
func (c *call) leaveToServer(resp *http.Response) {
	h, own := resp.Header, len(c.out.Header())
	short := resp.ContentLength > 0 && resp.ContentLength <= serverBuffer && resp.Body != http.NoBody
	if own+len(h) > smallHeader && short {
		delete(h, "Content-Length")
	}
	if own+len(h) > smallHeader && h.Get("Date") == time.Now().UTC().Format(http.TimeFormat) {
		delete(h, "Date")
	}
}

var varyCookie = []string{"Cookie"}

// setCacheControl forbids caching unless the API allows it, and always in shared
// caches: they see a cookie where the API saw Authorization, which would have
// stopped them (RFC 9111 section 3.5). Vary keeps answers of one session from
// another session of the same browser, and from visitors if a cache stores what
// it must not.
func setCacheControl(h http.Header) {
	if h["Vary"] == nil {
		h["Vary"] = varyCookie // shared: nothing changes it
	} else {
		h.Add("Vary", "Cookie")
	}
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
}
