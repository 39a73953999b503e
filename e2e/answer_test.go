package e2e

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/PuerkitoBio/goquery"
)

// checkAnswer fails the test unless the answer keeps the rules that hold for
// every answer of the site. The expected values are those of the specifications.
func (b *browser) checkAnswer(r request, p *page) {
	fail := func(format string, args ...any) {
		b.t.Helper()
		b.t.Errorf(r.method+" "+r.url.Path+": "+format, args...)
	}
	if p.header.Get("X-Content-Type-Options") != "nosniff" { // req 92
		fail("X-Content-Type-Options = %q, want nosniff", p.header.Get("X-Content-Type-Options"))
	}
	if cache := p.header.Get("Cache-Control"); cache != "no-store" && (p.status != http.StatusOK || !fingerprint.MatchString(r.url.Path)) { // req 93
		fail("Cache-Control = %q, want no-store", cache)
	}
	if hsts := p.header.Get("Strict-Transport-Security"); hsts != "" { // RFC 6797 section 7.2
		fail("Strict-Transport-Security over http = %q, want none", hsts)
	}
	if origin := p.header.Get("Access-Control-Allow-Origin"); origin != "" { // req 91
		fail("Access-Control-Allow-Origin = %q, want none", origin)
	}
	for _, c := range (&http.Response{Header: p.header}).Cookies() {
		b.checkCookie(fail, c)
	}
	if strings.HasPrefix(p.header.Get("Content-Type"), "text/html") {
		b.checkHTML(fail, r, p)
	}
}

// fingerprint matches the path of a file that is served forever, because its
// name changes with its content.
var fingerprint = regexp.MustCompile(`\.[0-9a-f]{16}\.\w+$`)

// checkCookie checks a cookie of a site on loopback, which has no https. req 65,
// 66, 67, 68, 70
func (b *browser) checkCookie(fail func(string, ...any), c *http.Cookie) {
	if c.Path != "/" || c.Domain != "" || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Secure || strings.HasPrefix(c.Name, "__Host-") {
		fail("Set-Cookie = %s, want Path=/, HttpOnly and SameSite=Strict, and neither Domain, Secure nor __Host-", c.Name)
	}
	if len(c.Name)+len(c.Value) > 4096 {
		fail("cookie %s = %d bytes, want at most 4096", c.Name, len(c.Name)+len(c.Value))
	}
	if slices.Contains([]string{"b2trader-known", "b2trader-email", "b2trader-theme"}, c.Name) { // they open nothing, and stay for months
		return
	}
	if !c.Expires.IsZero() && c.Expires.After(time.Now()) || c.MaxAge > 0 {
		fail("cookie %s has an expiry, want one that ends with the browser", c.Name)
	}
}

// checkHTML checks the headers of a page. req 92
func (b *browser) checkHTML(fail func(string, ...any), r request, p *page) {
	csp := policy(p.header.Get("Content-Security-Policy"))
	for directive, want := range map[string]string{
		"default-src": "'none'", "object-src": "'none'", "base-uri": "'none'", "frame-ancestors": "'none'",
		"script-src": "'self'", "style-src": "'self'", "form-action": "'self'",
	} {
		if csp[directive] != want {
			fail("CSP %s = %q, want %q", directive, csp[directive], want)
		}
	}
	if p.header.Get("Cross-Origin-Opener-Policy") != "same-origin" {
		fail("Cross-Origin-Opener-Policy = %q, want same-origin", p.header.Get("Cross-Origin-Opener-Policy"))
	}
	if !slices.Contains([]string{"no-referrer", "same-origin", "strict-origin"}, p.header.Get("Referrer-Policy")) {
		fail("Referrer-Policy = %q, want one that hides the path from other sites", p.header.Get("Referrer-Policy"))
	}
	if r.method != http.MethodHead {
		checkDocument(fail, p)
	}
}

// checkDocument checks that a page has one h1, a sign-out if it has navigation,
// nothing inline, and forms and links that work without JavaScript. req 120
func checkDocument(fail func(string, ...any), p *page) {
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(p.body))
	if err != nil {
		fail("%v", err)
		return
	}
	if n := doc.Find("h1").Length(); n != 1 && strings.Contains(p.body, "<html") {
		fail("%d h1 elements, want 1", n)
	}
	if doc.Find("nav").Length() > 0 && doc.Find(`header form[method=post][action="/sign-out"] button[type=submit]`).Length() != 1 {
		fail("the header has no sign-out")
	}
	inline := doc.Find("script:not([src]), style, [style], iframe, object, embed, base, meta[http-equiv]").Length()
	doc.Find("*").Each(func(_ int, e *goquery.Selection) {
		for _, a := range e.Get(0).Attr {
			if strings.HasPrefix(a.Key, "on") || strings.HasPrefix(strings.ToLower(strings.TrimSpace(a.Val)), "javascript:") {
				inline++
			}
		}
	})
	if inline > 0 {
		fail("%d elements that the CSP forbids, want none", inline)
	}
	doc.Find("form").Each(func(_ int, f *goquery.Selection) {
		if f.AttrOr("action", "") == "" || f.Find("button[type=submit]").Length() == 0 {
			fail("the form for %q does not work without JavaScript", f.AttrOr("action", ""))
		}
	})
	doc.Find("a").Each(func(_ int, a *goquery.Selection) {
		if href := a.AttrOr("href", ""); href == "" || href == "#" {
			fail("the link %q does not work without JavaScript", a.Text())
		}
	})
}

// policy splits a Content-Security-Policy into directives (CSP Level 3, section 2.2.1).
func policy(header string) map[string]string {
	directives := make(map[string]string)
	for part := range strings.SplitSeq(header, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), " ")
		directives[name] = value
	}
	return directives
}
