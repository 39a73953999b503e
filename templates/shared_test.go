package templates

import (
	"strings"
	"testing"

	"github.com/a-h/templ"
)

// The pages of shared sign-ins say whose these are, and name the page that has others, if it is offered.
func TestSharedSignIns(t *testing.T) {
	machine, platforms := sampleMachine(), samplePlatforms()
	lone, alone := sampleMachine(), samplePlatforms()
	lone.Platforms, alone.Machine = false, false
	for name, c := range map[string]struct {
		page  templ.Component
		apart string
	}{
		"machines":       {MachinePage(machine), "The page Platforms signs in for itself"},
		"platforms":      {PlatformsPage(platforms), "The page Machine-to-machine signs in for itself"},
		"machines only":  {MachinePage(lone), ""},
		"platforms only": {PlatformsPage(alone), ""},
	} {
		said := words(document(t, render(t, c.page)).Find("main"))
		if !strings.Contains(said, "All administrators share these sign-ins, and they go on when you sign out of this site.") {
			t.Errorf("%s: it is not said who shares them", name)
		}
		if c.apart != "" && !strings.Contains(said, c.apart) || c.apart == "" && strings.Contains(said, "signs in for itself") {
			t.Errorf("%s: it should say %q", name, c.apart)
		}
	}
}
