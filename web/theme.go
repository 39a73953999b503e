package web

import (
	"cmp"
	"net/http"
	"time"

	"b2trader.identity.auth/web/internal/answer"
)

// themeLife is how long a browser keeps the colour scheme that its user chose.
const themeLife = 365 * 24 * time.Hour

// themeCookie keeps the choice. The server reads it, so that no page changes its
// colours after it is shown.
func (s *site) themeCookie() lastingCookie {
	return lastingCookie{"b2trader-theme", themeLife, s.config.secure()}
}

// theme returns the colour scheme that the user of the browser chose, or "" for
// that of the system.
func (s *site) theme(r *http.Request) string {
	if theme := s.themeCookie().Of(r); theme == "light" || theme == "dark" {
		return theme
	}
	return ""
}

// changeTheme takes a choice, and leads back to the page that it was made on.
func (s *site) changeTheme(w http.ResponseWriter, r *http.Request) error {
	form, err := answer.Form(r)
	if err != nil {
		return err
	}
	switch theme := form.Get("theme"); theme {
	case "light", "dark":
		s.themeCookie().Set(w, theme)
	case "system":
		s.themeCookie().Set(w, "")
	default:
		return answer.BadRequest("unknown theme")
	}
	http.Redirect(w, r, cmp.Or(answer.LocalPath(form.Get("return_to")), "/"), http.StatusSeeOther) //nolint:gosec // a local path
	return nil
}
