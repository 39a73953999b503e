package e2e

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/PuerkitoBio/goquery"
)

// checkAnswer is what must hold for every answer of the site, whatever was
// asked. The expected values are the specifications', not the code's.
func (b *browser) checkAnswer(r request, p *page) {
	fail := func(format string, args ...any) {
		b.t.Helper()
		b.t.Errorf(r.method+" "+r.url.Path+": "+format, args...)
	}
	isStatic := strings.HasPrefix(r.url.Path, "/static/")
	if p.header.Get("X-Content-Type-Options") != "nosniff" { // req 92
		fail("no nosniff")
	}
	if cache := p.header.Get("Cache-Control"); cache != "no-store" && (!isStatic || p.status != http.StatusOK) { // req 93
		fail("Cache-Control is %q", cache)
	}
	if b.base.Scheme == "https" && !strings.HasPrefix(p.header.Get("Strict-Transport-Security"), "max-age=63072000") { // req 92
		fail("Strict-Transport-Security is %q", p.header.Get("Strict-Transport-Security"))
	}
	if b.base.Scheme == "http" && p.header.Get("Strict-Transport-Security") != "" { // RFC 6797 section 7.2
		fail("HSTS over http")
	}
	if origin := p.header.Get("Access-Control-Allow-Origin"); origin != "" { // req 91
		fail("Access-Control-Allow-Origin is %q", origin)
	}
	for _, c := range (&http.Response{Header: p.header}).Cookies() {
		b.checkCookie(fail, c)
	}
	if strings.HasPrefix(p.header.Get("Content-Type"), "text/html") {
		b.checkHTML(fail, r, p)
	}
}

// checkCookie: req 65, 66, 67, 68, 70.
func (b *browser) checkCookie(fail func(string, ...any), c *http.Cookie) {
	secure := b.base.Scheme == "https"
	if c.Path != "/" || c.Domain != "" || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode {
		fail("cookie %s: Path %q, Domain %q, HttpOnly %v, SameSite %v", c.Name, c.Path, c.Domain, c.HttpOnly, c.SameSite)
	}
	if c.Secure != secure || strings.HasPrefix(c.Name, "__Host-") != secure {
		fail("cookie %s: Secure %v", c.Name, c.Secure)
	}
	if len(c.Name)+len(c.Value) > 4096 {
		fail("cookie %s is too long", c.Name)
	}
	if !c.Expires.IsZero() && c.Expires.After(time.Now()) || c.MaxAge > 0 {
		fail("cookie %s outlives the browser", c.Name)
	}
}

// checkHTML: req 92, 120, and what lets every page work without JavaScript.
func (b *browser) checkHTML(fail func(string, ...any), r request, p *page) {
	csp := policy(p.header.Get("Content-Security-Policy"))
	for directive, want := range map[string]string{
		"default-src": "'none'", "object-src": "'none'", "base-uri": "'none'", "frame-ancestors": "'none'",
		"script-src": "'self'", "style-src": "'self'", "form-action": "'self'",
	} {
		if csp[directive] != want {
			fail("CSP %s is %q", directive, csp[directive])
		}
	}
	if p.header.Get("Cross-Origin-Opener-Policy") != "same-origin" {
		fail("COOP is %q", p.header.Get("Cross-Origin-Opener-Policy"))
	}
	if !slices.Contains([]string{"no-referrer", "same-origin", "strict-origin"}, p.header.Get("Referrer-Policy")) {
		fail("Referrer-Policy is %q", p.header.Get("Referrer-Policy"))
	}
	if r.method != http.MethodHead {
		checkDocument(fail, p)
	}
}

// checkDocument: one heading, sign-out, nothing inline, forms and links that work by themselves.
func checkDocument(fail func(string, ...any), p *page) {
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(p.body))
	if err != nil {
		fail("%v", err)
		return
	}
	if n := doc.Find("h1").Length(); n != 1 && strings.Contains(p.body, "<html") {
		fail("%d h1 elements", n)
	}
	if doc.Find("nav").Length() > 0 && doc.Find(`header form[method=post][action="/sign-out"] button[type=submit]`).Length() != 1 { // req 120
		fail("no sign-out")
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
		fail("%d elements that the CSP forbids", inline)
	}
	doc.Find("form").Each(func(_ int, f *goquery.Selection) {
		if f.AttrOr("action", "") == "" || f.Find("button[type=submit]").Length() == 0 {
			fail("a form that needs a script")
		}
	})
	doc.Find("a").Each(func(_ int, a *goquery.Selection) {
		if href := a.AttrOr("href", ""); href == "" || href == "#" {
			fail("a link that needs a script: %q", a.Text())
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
