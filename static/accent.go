package static

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// CheckAccent reports whether colour, as #rrggbb, can be the accent of the
// site's pages in a colour scheme. The error is a *[ContrastError] if text in
// this colour, or on it, cannot be read.
func CheckAccent(s Scheme, colour string) error {
	if _, err := channels(colour); err != nil {
		return err
	}
	with := maps.Clone(themes()[s])
	maps.Copy(with, accent(s, colour))
	worst, err := with.check()
	if worst != nil {
		return worst
	}
	return err
}

// AccentSheet returns a style sheet that replaces the accent of the site's pages
// by two colours for which CheckAccent has no error.
func AccentSheet(light, dark string) []byte {
	inLight, inDark := accent(Light, light), accent(Dark, dark)
	inLight["--ink-main"] = inDark["--ink-main"] // the header is dark in both schemes
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(inDark)) {
		fmt.Fprintf(&b, " %s: light-dark(%s, %s);", name, inLight[name], inDark[name])
	}
	return fmt.Appendf(nil, ":root {%s }\n", b.String())
}

// accent returns the properties that an accent replaces.
func accent(s Scheme, colour string) properties {
	colour = strings.ToLower(colour)
	card := themes()[s]["--card"]
	if s == Dark {
		return properties{
			"--main": colour, "--main-hover": mix(colour, "#ffffff", 0.3), "--main-soft": mix(card, colour, 0.15), "--ink-main": colour,
		}
	}
	return properties{"--main": colour, "--main-hover": mix(colour, "#000000", 0.2), "--main-soft": mix(card, colour, 0.1)}
}
