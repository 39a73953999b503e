package templates

import (
	"strings"
	"time"

	"github.com/a-h/templ"
)

// Problem says what is wrong with a form. The zero value is no problem.
type Problem struct {
	Text  string
	Field string // the name of the input with the mistake; empty: none of them

	RequestID string // for a question to the operator; empty: not shown

	// Until is when to try again, and Now the time of the page. app.js counts
	// down. The zero values show no time.
	Now, Until time.Time
}

// selected returns the index of the client to check: the marked one, or the
// first.
func selected(clients []ClientChoice) int {
	for i, c := range clients {
		if c.Selected {
			return i
		}
	}
	return 0
}

// fieldState returns the attributes of the input called name. The input with
// the mistake has the focus and is described by the problem. If no input has
// one, the first to fill does, without being marked as wrong. Note is the id of
// a text that describes the input, too, or empty.
func fieldState(p Problem, name, note string, first bool) templ.Attributes {
	a := templ.Attributes{}
	wrong := p.Text != "" && p.Field == name
	if focus := wrong || p.Field == "" && first; focus {
		a["autofocus"] = true
		if p.Text != "" {
			note = strings.TrimSpace("problem " + note)
		}
	}
	if wrong {
		a["aria-invalid"] = "true"
	}
	if note != "" {
		a["aria-describedby"] = note
	}
	return a
}

// choiceState is fieldState for the checked one of the clients, which is not
// wrong by itself.
func choiceState(p Problem) templ.Attributes {
	if p.Text == "" || p.Field != "client" {
		return nil
	}
	return templ.Attributes{"autofocus": true, "aria-describedby": "problem"}
}
