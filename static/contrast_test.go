package static

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var (
	declaration = regexp.MustCompile(`(--[a-z-]+):\s*([^;]+);`)
	use         = regexp.MustCompile(`var\((--[a-z-]+)\)`)
	colour      = regexp.MustCompile(`#[0-9a-fA-F]{3,8}\b|\b(rgb|hsl|oklch|color-mix)\(`)
)

func styleSheet(t *testing.T, name string) string {
	t.Helper()
	css, err := files.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(css)
}

// themes reads the custom properties of :root from base.css. The dark theme has
// those of the light theme, with some replaced.
func themes(t *testing.T) map[string]map[string]string {
	t.Helper()
	css := styleSheet(t, "base.css")
	const query = "@media (prefers-color-scheme: dark) {"
	light, rest, ok := strings.Cut(css, query)
	if !ok {
		t.Fatalf("base.css has no %s", query)
	}
	dark, _, _ := strings.Cut(rest, "\n}\n")
	all := map[string]map[string]string{"light": {}, "dark": {}}
	for _, d := range declaration.FindAllStringSubmatch(light, -1) {
		all["light"][d[1]], all["dark"][d[1]] = d[2], d[2]
	}
	for _, d := range declaration.FindAllStringSubmatch(dark, -1) {
		all["dark"][d[1]] = d[2]
	}
	return all
}

// luminance returns WCAG 2.2's relative luminance of "#rrggbb".
func luminance(hex string) (float64, error) {
	n, err := strconv.ParseUint(strings.TrimPrefix(hex, "#"), 16, 32)
	if err != nil || len(hex) != 7 {
		return 0, fmt.Errorf("%q is not #rrggbb", hex)
	}
	channel := func(shift uint) float64 {
		c := float64(n>>shift&0xff) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*channel(16) + 0.7152*channel(8) + 0.0722*channel(0), nil
}

// ratio returns WCAG 2.2's contrast ratio of two colours.
func ratio(t *testing.T, a, b string) float64 {
	t.Helper()
	la, errA := luminance(a)
	lb, errB := luminance(b)
	if errA != nil || errB != nil {
		t.Fatal(errA, errB)
	}
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

func TestContrastFormula(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want float64
	}{{"#000000", "#ffffff", 21}, {"#777777", "#ffffff", 4.48}, {"#123456", "#123456", 1}} {
		if got := ratio(t, c.a, c.b); math.Abs(got-c.want) > 0.005 {
			t.Errorf("%s on %s is %.3f, want %.2f", c.a, c.b, got, c.want)
		}
	}
}

// WCAG 2.2 AA wants a contrast of 4.5 for text (1.4.3), and of 3 for a mark of a
// control or a state (1.4.11).
func TestContrast(t *testing.T) {
	const text, mark = 4.5, 3.0
	pairs := []struct {
		fore, backs string
		want        float64
	}{
		{"--text", "page card sunken main-soft", text},
		{"--dim", "page card sunken main-soft", text},
		{"--main", "page card sunken main-soft", text},
		{"--main-hover", "page card", text},
		{"--main-text", "main main-hover", text},
		{"--good", "card good-soft", text},
		{"--warn", "page card warn-soft", text},
		{"--bad", "card bad-soft", text},
		{"--card", "bad", text}, // the button that ends sessions
		{"--ink-text", "ink ink-raised", text},
		{"--ink-dim", "ink", text},
		{"--edge", "page card", mark},
		{"--ink-edge", "ink", mark},
		{"--ink-main", "ink", mark},
		{"--good", "line", mark},
		{"--warn", "line", mark},
		{"--text", "line", mark},
		{"--card", "good warn", mark}, // the halo of the mark on a meter
	}
	for theme, properties := range themes(t) {
		for _, p := range pairs {
			for back := range strings.FieldsSeq(p.backs) {
				got := ratio(t, properties[p.fore], properties["--"+back])
				if got < p.want {
					t.Errorf("%s: %s on --%s is %.2f, want at least %.1f", theme, p.fore, back, got, p.want)
				}
			}
		}
	}
}

// Colours are defined only as custom properties, so that the pairs above are
// complete, and each property that is used is defined.
func TestColoursAreTokens(t *testing.T) {
	light := themes(t)["light"]
	for _, name := range []string{"base.css", "app.css", "sessions.css"} {
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
