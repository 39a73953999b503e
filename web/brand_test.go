package web_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/a-h/templ"

	"b2trader.identity.auth/web"
)

const (
	svgLogo = `<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><path d="M0 0h1v1z"/></svg>`
	pngLogo = "\x89PNG\r\n\x1a\nand the rest"
)

// Each page of a branded site has its name, its logo and its style sheets, after
// the site's own. The site serves them under its own origin.
func TestBrand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, func(c *web.Config) {
			c.Brand = web.Brand{
				Product: "Acme <Trading>", Logo: []byte(svgLogo), AccentLight: "#0B6E4F", AccentDark: "#5ad1a5",
				StyleSheet: []byte(".brand{letter-spacing:0}"),
			}
		})
		b := s.browser()
		b.signIn("trader", "spa").leadsTo("/account")
		for _, path := range []string{"/account", "/sign-in", "/flow", "/no-such-page"} {
			doc := b.get(path).doc()
			if got := doc.Find(".brand").Text(); strings.TrimSpace(got) != "Acme <Trading>" || !strings.HasSuffix(doc.Find("title").Text(), " · Acme <Trading>") {
				t.Errorf("%s: the name is %q, the title %q, want Acme <Trading>", path, got, doc.Find("title").Text())
			}
			sheets := doc.Find(`link[rel="stylesheet"]`)
			for at, want := range map[int]struct{ content, kind string }{
				sheets.Length() - 2: {"--main: light-dark(#0b6e4f, ", "text/css; charset=utf-8"},
				sheets.Length() - 1: {".brand{letter-spacing:0}", "text/css; charset=utf-8"},
			} {
				sheet := b.get(sheets.Eq(at).AttrOr("href", "")).is(200, want.content)
				if got := sheet.header.Get("Content-Type"); got != want.kind {
					t.Errorf("%s: style sheet %d has Content-Type %q, want %q", path, at, got, want.kind)
				}
			}
			logo := doc.Find(".brand img").AttrOr("src", "")
			if icon := doc.Find(`link[rel="icon"]`).AttrOr("href", ""); icon != logo {
				t.Errorf("%s: the icon is %q, want the logo %q", path, icon, logo)
			}
			answer := b.get(logo).is(200, svgLogo)
			for header, want := range map[string]string{
				"Content-Type": "image/svg+xml", "Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff",
			} {
				if got := answer.header.Get(header); got != want {
					t.Errorf("%s: %s is %q, want %q", logo, header, got, want)
				}
			}
		}
	})
}

func TestBrandOfAPNG(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newSite(t, func(c *web.Config) { c.Brand.Logo = []byte(pngLogo) }).browser()
		logo := b.get("/sign-in").doc().Find(".brand img").AttrOr("src", "")
		if got := b.get(logo).is(200).header.Get("Content-Type"); got != "image/png" {
			t.Errorf("%s has Content-Type %q, want image/png", logo, got)
		}
		b.get("/static/brand/logo.png").is(http.StatusNotFound)
	})
}

// A page of a host application loads the style sheets of the brand before its
// own.
func TestBrandAndStylesOfAPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, func(c *web.Config) {
			c.Brand.StyleSheet = []byte("h1{}")
			c.Pages = []web.Page{{Path: "/orders", Get: func(w http.ResponseWriter, _ *http.Request, s *web.Session) error {
				return s.Render(w, web.Content{Title: "Orders", Body: templ.Raw("orders"), Styles: []string{"/orders.css"}})
			}}}
		})
		b := s.browser()
		b.signIn("trader", "spa").leadsTo("/account")
		for range 2 { // the second page has not those of the first
			sheets := b.get("/orders").is(200).doc().Find(`link[rel="stylesheet"]`)
			last, before := sheets.Last().AttrOr("href", ""), sheets.Eq(sheets.Length()-2).AttrOr("href", "")
			if last != "/orders.css" || !strings.HasPrefix(before, "/static/brand/style.") {
				t.Errorf("the last style sheets are %q and %q, want the brand's and the page's", before, last)
			}
		}
	})
}

func TestBrandProblems(t *testing.T) {
	for name, c := range map[string]struct {
		brand web.Brand
		want  string // the field
		say   string // in the error
	}{
		"yellow on white":   {web.Brand{AccentLight: "#ffcc00", AccentDark: "#ffcc00"}, "Brand.AccentLight", "has a contrast of 1.32:1"},
		"ink on black":      {web.Brand{AccentLight: "#102040", AccentDark: "#102040"}, "Brand.AccentDark", "has a contrast of"},
		"one of two":        {web.Brand{AccentLight: "#102040"}, "Brand.AccentDark", "is missing"},
		"no colour":         {web.Brand{AccentLight: "navy", AccentDark: "#ffffff"}, "Brand.AccentLight", `is "navy"`},
		"a JPEG":            {web.Brand{Logo: []byte("\xff\xd8\xff\xe0JFIF")}, "Brand.Logo", "is no PNG"},
		"HTML":              {web.Brand{Logo: []byte("<html><svg></svg></html>")}, "Brand.Logo", "is no PNG"},
		"without namespace": {web.Brand{Logo: []byte("<svg/>")}, "Brand.Logo", "is no PNG, and no SVG with the namespace http://www.w3.org/2000/svg"},
		"an empty file":     {web.Brand{Logo: []byte{}}, "Brand.Logo", "is no PNG"},
	} {
		got, err := problemFields(web.Config{Brand: c.brand})
		if !slices.Contains(got, c.want) || !strings.Contains(err.Error(), c.want+" "+c.say) {
			t.Errorf("%s: web.New reports %v, want %s %q", name, err, c.want, c.say)
		}
	}
}
