package static

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// Scheme is a colour scheme, as color-scheme of CSS has it.
type Scheme string

// The colour schemes.
const (
	Light Scheme = "light"
	Dark  Scheme = "dark"
)

// properties are custom properties of CSS with their values.
type properties map[string]string

var declaration = regexp.MustCompile(`(--[a-z-]+):\s*([^;]+);`)

// lightDark is CSS's function of a light and a dark colour (CSS Color 5, section
// 13). It follows color-scheme, so both ways to the dark scheme have the same
// colours: the system's, and the user's choice on a page.
var lightDark = regexp.MustCompile(`^light-dark\((.+), (.+)\)$`)

// themes returns the custom properties of :root in base.css.
var themes = sync.OnceValue(func() map[Scheme]properties {
	css, err := files.ReadFile("base.css")
	if err != nil {
		panic(err) // a fault of the build, found when any test of this package starts
	}
	return schemes(string(css))
})

// schemes returns the custom properties of a style sheet in both schemes.
func schemes(css string) map[Scheme]properties {
	all := map[Scheme]properties{Light: {}, Dark: {}}
	for _, d := range declaration.FindAllStringSubmatch(css, -1) {
		light, dark := d[2], d[2]
		if both := lightDark.FindStringSubmatch(d[2]); both != nil {
			light, dark = both[1], both[2]
		}
		all[Light][d[1]], all[Dark][d[1]] = light, dark
	}
	return all
}

// WCAG 2.2 AA wants these contrasts: of text (1.4.3), and of a mark of a control
// or a state (1.4.11).
const textContrast, markContrast = 4.5, 3.0

// pairs are the colours that stand on others, and the contrast that each needs.
var pairs = []struct {
	fore, backs string
	want        float64
}{
	{"--text", "page card float sunken raised main-soft", textContrast},
	{"--dim", "page card sunken raised main-soft", textContrast},
	{"--main", "page card sunken main-soft", textContrast},
	{"--main-hover", "page card", textContrast},
	{"--main-text", "main main-hover", textContrast},
	{"--good", "card good-soft", textContrast},
	{"--warn", "page card warn-soft", textContrast},
	{"--bad", "card bad-soft", textContrast},
	{"--card", "bad", textContrast}, // the button that ends sessions
	{"--ink-text", "ink ink-raised", textContrast},
	{"--ink-dim", "ink", textContrast},
	{"--edge", "page card float", markContrast},
	{"--ink-edge", "ink", markContrast},
	{"--ink-main", "ink", markContrast},
	{"--good", "line", markContrast},
	{"--warn", "line", markContrast},
	{"--text", "line", markContrast},
	{"--card", "good warn", markContrast}, // the halo of the mark on a meter
}

// A ContrastError says that a colour cannot be read on another.
type ContrastError struct {
	Property, Colour     string // the colour that stands on the other
	OnProperty, OnColour string
	Got, Want            float64
}

// Error implements error.
func (e *ContrastError) Error() string {
	return fmt.Sprintf("has a contrast of %.2f:1 as %s %s on %s %s, want at least %.1f:1 (WCAG 2.2 AA)",
		e.Got, e.Property, e.Colour, e.OnProperty, e.OnColour, e.Want)
}

// check returns the worst of the pairs that have too little contrast.
func (p properties) check() (worst *ContrastError, err error) {
	for _, pair := range pairs {
		for back := range strings.FieldsSeq(pair.backs) {
			back = "--" + back
			got, err := ratio(p[pair.fore], p[back])
			if err != nil {
				return nil, err
			}
			if got < pair.want && (worst == nil || got/pair.want < worst.Got/worst.Want) {
				worst = &ContrastError{pair.fore, p[pair.fore], back, p[back], got, pair.want}
			}
		}
	}
	return worst, nil
}

// ratio returns WCAG 2.2's contrast ratio of two colours.
func ratio(a, b string) (float64, error) {
	la, err := luminance(a)
	if err != nil {
		return 0, err
	}
	lb, err := luminance(b)
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05), err
}

// luminance returns WCAG 2.2's relative luminance of "#rrggbb".
func luminance(hex string) (float64, error) {
	rgb, err := channels(hex)
	linear := func(channel float64) float64 {
		c := channel / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(rgb[0]) + 0.7152*linear(rgb[1]) + 0.0722*linear(rgb[2]), err
}

var hexColour = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)

// channels returns red, green and blue of "#rrggbb", from 0 to 255.
func channels(hex string) (rgb [3]float64, err error) {
	if !hexColour.MatchString(hex) {
		return rgb, fmt.Errorf("is %q, want a colour as #rrggbb", hex)
	}
	n, err := strconv.ParseUint(hex[1:], 16, 32)
	for i := range rgb {
		rgb[i] = float64(n >> (16 - 8*i) & 0xff)
	}
	return rgb, err
}

// mix returns a with a share of b.
func mix(a, b string, share float64) string {
	ca, _ := channels(a)
	cb, _ := channels(b)
	var mixed [3]int
	for i := range ca {
		mixed[i] = int(math.Round(ca[i] + share*(cb[i]-ca[i])))
	}
	return fmt.Sprintf("#%02x%02x%02x", mixed[0], mixed[1], mixed[2])
}
