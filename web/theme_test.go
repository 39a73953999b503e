package web_test

import (
	"strings"
	"testing"
	"testing/synctest"
)

// The colour scheme is chosen by a form, with and without a session, and is in
// the page that the server sends. field 11
func TestTheme(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		b := s.browser()
		chosen := func(path string) string {
			t.Helper()
			doc := b.get(path).doc()
			theme := doc.Find("html").AttrOr("data-theme", "system")
			if pressed := doc.Find(`form[action="/theme"] [aria-pressed=true]`).AttrOr("value", ""); pressed != theme {
				t.Errorf("GET %s: the switch shows %q, and the page is %q", path, pressed, theme)
			}
			return theme
		}
		if got := chosen("/sign-in"); got != "system" {
			t.Errorf("without a choice the theme is %s, want system", got)
		}
		cookie := b.post("/theme", "theme", "dark", "return_to", "/sign-in?done=ended").leadsTo("/sign-in?done=ended").header.Get("Set-Cookie")
		if cookie != "__Host-b2trader-theme=dark; Path=/; Max-Age=31536000; HttpOnly; Secure; SameSite=Strict" {
			t.Errorf("the cookie is %q", cookie)
		}
		b.signIn("trader", "spa").leadsTo("/account")
		for _, path := range []string{"/sign-in", "/account", "/no-such-page"} {
			if got := chosen(path); got != "dark" {
				t.Errorf("GET %s has the theme %s, want dark", path, got)
			}
		}
		// A page that answers a form has the switch, too. It returns to where a
		// GET shows the page. field 12
		back := func(a *answer) string {
			return a.doc().Find(`form[action="/theme"]:has(button) input`).AttrOr("value", "nowhere")
		}
		stranger := s.browser()
		id := stranger.begun()
		for _, c := range []struct{ got, want string }{
			{back(stranger.post("/sign-in?done=ended", "client", "spa")), "/sign-in"},
			{back(stranger.post("/theme")), "/"},
			{back(stranger.code(id, "0")), "/sign-in/second-factor?attempt=" + id},
		} {
			if c.got != c.want {
				t.Errorf("the switch returns to %s, want %s", c.got, c.want)
			}
		}
		b.post("/theme", "theme", "light", "return_to", "/sessions").leadsTo("/sessions")
		if got := chosen("/sessions"); got != "light" {
			t.Errorf("the theme is %s, want light", got)
		}
		b.post("/theme", "theme", "neon").is(400)
		for _, elsewhere := range []string{"https://evil.example", "//evil.example", ""} {
			b.post("/theme", "theme", "system", "return_to", elsewhere).leadsTo("/")
		}
		if got := chosen("/account"); got != "system" {
			t.Errorf("the theme is %s, want system again", got)
		}
		b.header.Set("Sec-Fetch-Site", "cross-site")
		if a := b.post("/theme", "theme", "dark").is(403); strings.Contains(a.header.Get("Set-Cookie"), "theme") {
			t.Error("another site changes the theme")
		}
	})
}
