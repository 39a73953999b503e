package static

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"regexp"
	"strings"
	"testing"
)

var (
	use    = regexp.MustCompile(`var\((--[a-z-]+)\)`)
	colour = regexp.MustCompile(`#[0-9a-fA-F]{3,8}\b|\b(rgb|hsl|oklch|color-mix)\(`)
)

func styleSheet(t *testing.T, name string) string {
	t.Helper()
	css, err := files.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(css)
}

func TestContrast(t *testing.T) {
	for scheme, theme := range themes() {
		if worst, err := theme.check(); worst != nil || err != nil {
			t.Errorf("%s: %v, %v", scheme, worst, err)
		}
	}
}

func TestCheckAccent(t *testing.T) {
	for _, c := range []struct {
		scheme Scheme
		colour string
		want   float64 // the contrast that is told; 0: the accent is good
	}{
		{Light, "#0B6E4F", 0}, {Dark, "#5ad1a5", 0}, {Light, "#9c1c3c", 0}, {Dark, "#ff9db3", 0},
		{Light, "#000000", 0}, {Dark, "#ffffff", 0},
		{Light, "#ffcc00", 1.32},
		{Light, "#767676", 3.98}, // enough on white, but not on what stands beside it
		{Dark, "#0a6e0a", 2.42},  // red and blue are in the linear part of the formula
	} {
		err := CheckAccent(c.scheme, c.colour)
		low, isLow := errors.AsType[*ContrastError](err)
		if isLow != (c.want != 0) || isLow && (math.Abs(low.Got-c.want) > 0.005 || low.Want != 4.5) {
			t.Errorf("CheckAccent(%s, %s) = %v, want a contrast of %.2f", c.scheme, c.colour, err, c.want)
		}
	}
	for _, bad := range []string{"", "red", "#abc", "#12345g", "#1234567", "0b6e4f0", "#000000;} *{"} {
		if CheckAccent(Light, bad) == nil {
			t.Errorf("CheckAccent(light, %q) = nil, want an error", bad)
		}
	}
}

// The style sheet of an accent replaces each colour that is made of the accent.
// Whatever accent passes the check, both schemes with it have their contrasts.
func TestAccentSheet(t *testing.T) {
	good := map[Scheme][]string{}
	for n := range 216 { // the steps 00, 33, 66, 99, cc and ff of each channel
		hex := fmt.Sprintf("#%02x%02x%02x", n/36*0x33, n/6%6*0x33, n%6*0x33)
		for _, s := range []Scheme{Light, Dark} {
			if CheckAccent(s, hex) == nil {
				good[s] = append(good[s], hex)
			}
		}
	}
	if len(good[Light]) < 30 || len(good[Dark]) < 30 {
		t.Fatalf("%d and %d accents are accepted, want dozens", len(good[Light]), len(good[Dark]))
	}
	for i, dark := range good[Dark] {
		light := good[Light][i%len(good[Light])]
		sheet := string(AccentSheet(light, dark))
		for scheme, own := range themes() {
			with, replaced := maps.Clone(own), schemes(sheet)[scheme]
			maps.Copy(with, replaced)
			if worst, err := with.check(); worst != nil || err != nil {
				t.Errorf("%s and %s: %v, %v in the %s scheme", light, dark, worst, err, scheme)
			}
			for name := range own {
				if strings.Contains(name, "main") && name != "--main-text" && replaced[name] == "" {
					t.Fatalf("%s is not replaced by %s", name, sheet)
				}
			}
		}
	}
}

// Both ways to the dark scheme change color-scheme alone, which all colours
// follow: the system's scheme, and the user's choice, which replaces it.
func TestThemesChangeTheColourScheme(t *testing.T) {
	css := styleSheet(t, "base.css")
	for _, want := range []string{
		"color-scheme: light dark;", `:root[data-theme="light"] { color-scheme: light; }`, `:root[data-theme="dark"] { color-scheme: dark; }`,
	} {
		if !strings.Contains(css, want) {
			t.Errorf("base.css lacks %s", want)
		}
	}
	if strings.Contains(css, "prefers-color-scheme") {
		t.Error("base.css asks for the system's scheme, which the user may have replaced")
	}
	if themes()[Light]["--page"] == themes()[Dark]["--page"] {
		t.Error("both schemes have the same ground")
	}
}

// Colours are defined only as custom properties, so that the pairs above are
// complete, and each property that is used is defined.
func TestColoursAreTokens(t *testing.T) {
	light := themes()[Light]
	for _, name := range []string{"base.css", "app.css", "forms.css", "sessions.css"} {
		css := styleSheet(t, name)
		local := map[string]bool{}
		for _, d := range declaration.FindAllStringSubmatch(css, -1) {
			local[d[1]] = true
		}
		for _, u := range use.FindAllStringSubmatch(css, -1) {
			if light[u[1]] == "" && !local[u[1]] {
				t.Errorf("%s uses %s, which is not defined", name, u[1])
			}
		}
		for line := range strings.Lines(css) {
			if colour.MatchString(line) && !declaration.MatchString(line) {
				t.Errorf("%s: a colour outside the tokens: %s", name, strings.TrimSpace(line))
			}
		}
		if strings.Contains(css, "url(") || strings.Contains(css, "@import") {
			t.Errorf("%s fetches something", name)
		}
	}
}
