package web

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"

	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/static"
	"b2trader.identity.auth/templates"
)

// A Brand is the look of a site. The site serves its files from its own origin.
type Brand struct {
	// Product is the site's name, in the header and in each title. Empty:
	// "B2Trader identity".
	Product string

	// Logo is the content of an SVG or PNG file. The header shows it before the
	// name, 28 px high on a dark ground, and browsers show it as the site's
	// icon. An SVG may have styles of its own; scripts and links in it do not
	// work. Nil: the logo of B2Trader identity.
	Logo []byte

	// AccentLight and AccentDark are the colour of links, main buttons and
	// marks in the light and in the dark scheme of browsers, as #rrggbb. Set
	// both or none. New refuses a colour if text in it or on it has less than
	// the contrast of WCAG 2.2 AA, 4.5:1. Empty: a blue.
	AccentLight, AccentDark string

	// StyleSheet is CSS that each page loads after the site's own style sheets,
	// under the Content-Security-Policy that [Session.Render] describes. New
	// does not check its colours. Nil: none.
	StyleSheet []byte
}

// brandPath is where the files of the brand are.
const brandPath = static.Prefix + "brand/"

// check reports every problem of b.
func (b Brand) check(p *tokenapi.Problems) {
	if b.Logo != nil {
		_, err := logoName(b.Logo)
		p.Check("Brand.Logo", err)
	}
	if b.AccentLight == "" && b.AccentDark == "" {
		return
	}
	for _, accent := range []struct {
		field, colour string
		scheme        static.Scheme
	}{{"Brand.AccentLight", b.AccentLight, static.Light}, {"Brand.AccentDark", b.AccentDark, static.Dark}} {
		if accent.colour == "" {
			p.Missing(accent.field, true)
		} else {
			p.Check(accent.field, static.CheckAccent(accent.scheme, accent.colour))
		}
	}
}

// dress gives the site's pages the brand and the texts of the Config.
func (s *site) dress() (err error) {
	b := s.config.Brand
	files := map[string][]byte{}
	var logo string
	if b.Logo != nil {
		if logo, err = logoName(b.Logo); err != nil {
			return err
		}
		files[logo] = b.Logo
	}
	if b.AccentLight != "" {
		files["accent.css"] = static.AccentSheet(b.AccentLight, b.AccentDark)
	}
	if b.StyleSheet != nil {
		files["style.css"] = b.StyleSheet
	}
	if s.brand, err = static.Named(brandPath, files); err != nil {
		return err
	}
	s.texts = templates.Complete(s.config.Texts)
	s.blank = templates.Page{Brand: &templates.Brand{Product: b.Product, Logo: s.brand.URL(logo)}, Texts: s.texts}
	for _, sheet := range []string{"accent.css", "style.css"} {
		if url := s.brand.URL(sheet); url != "" {
			s.blank.Styles = append(s.blank.Styles, url)
		}
	}
	return nil
}

// logoName returns the name of a logo, with the extension of its kind.
func logoName(content []byte) (string, error) {
	switch {
	case bytes.HasPrefix(content, []byte("\x89PNG\r\n\x1a\n")): // PNG, section 5.2
		return "logo.png", nil
	case isSVG(content):
		return "logo.svg", nil
	}
	return "", errors.New("is no PNG, and no SVG with the namespace http://www.w3.org/2000/svg")
}

// isSVG reports whether content is XML with the root element of SVG. Browsers
// show no picture without its namespace.
func isSVG(content []byte) bool {
	d := xml.NewDecoder(bytes.NewReader(content))
	d.CharsetReader = func(_ string, input io.Reader) (io.Reader, error) { return input, nil }
	for {
		token, err := d.Token()
		if err != nil {
			return false
		}
		if root, ok := token.(xml.StartElement); ok {
			return root.Name == xml.Name{Space: "http://www.w3.org/2000/svg", Local: "svg"}
		}
	}
}
