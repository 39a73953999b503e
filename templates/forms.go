package templates

import "github.com/a-h/templ"

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

// fieldState ties a field to the form's problem. Without a problem, the first
// field to fill has the focus.
func fieldState(problem string, first bool) templ.Attributes {
	if problem != "" {
		return templ.Attributes{"aria-invalid": "true", "aria-describedby": "problem"}
	}
	return templ.Attributes{"autofocus": first}
}

// codeState is fieldState for the one-time code, which the page's message also
// describes.
func codeState(problem string) templ.Attributes {
	if problem != "" {
		return templ.Attributes{"aria-invalid": "true", "aria-describedby": "problem code-message"}
	}
	return templ.Attributes{"autofocus": true, "aria-describedby": "code-message"}
}

// searchState ties the search to its problem.
func searchState(problem string) templ.Attributes {
	if problem != "" {
		return templ.Attributes{"aria-invalid": "true", "aria-describedby": "problem"}
	}
	return templ.Attributes{}
}
