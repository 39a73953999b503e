package web_test

import (
	"strings"
	"testing"
	"testing/synctest"
)

// The browser remembers the e-mail of a sign-in that asks for it, until one does
// not. No other sign-in leaves a trace of the e-mail in the browser. field 3
func TestRememberedEmail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const filledIn = `input[name=email][value="guarded@example.com"]`
		s := newSite(t)
		b := s.browser()
		signIn := func(user string, more ...string) string {
			t.Helper()
			a := b.signIn(user, "spa", more...)
			if a.status != 303 {
				t.Fatalf("sign-in of %s = %d, want 303", user, a.status)
			}
			for _, cookie := range a.header.Values("Set-Cookie") {
				if strings.HasPrefix(cookie, "__Host-b2trader-email=") {
					return cookie
				}
			}
			return ""
		}
		if cookie := signIn("guarded"); cookie != "" {
			t.Errorf("a sign-in that does not ask sets %s", cookie)
		}
		cookie := signIn("guarded", "remember", "on")
		for _, want := range []string{"; Path=/", "; Max-Age=7776000", "; HttpOnly", "; Secure", "; SameSite=Strict"} {
			if !strings.Contains(cookie, want) {
				t.Errorf("the cookie is %q, want %q in it", cookie, want)
			}
		}
		form := b.get("/sign-in").is(200).doc()
		if form.Find(filledIn).Length() != 1 || form.Find("input[name=remember][checked]").Length() != 1 || form.Find("input[name=password][autofocus]").Length() != 1 {
			t.Error("the form lacks the remembered e-mail, or the password does not have the focus")
		}
		wrong := b.post("/sign-in", "email", "guarded@example.com", "password", "wrong", "client", "spa").is(422)
		if wrong.doc().Find("input[name=remember][checked]").Length() != 0 || len(wrong.header.Values("Set-Cookie")) > 0 {
			t.Error("a wrong password changes what is remembered, or the box is not as it was sent")
		}
		if cookie := signIn("trader"); !strings.Contains(cookie, "Max-Age=0") {
			t.Errorf("a sign-in that does not ask sets %q, want the cookie to be deleted", cookie)
		}
		if b.get("/sign-in").is(200).doc().Find(filledIn).Length() != 0 {
			t.Error("the form has the e-mail that was to be forgotten")
		}
		if strings.Contains(s.log.String(), "guarded@") {
			t.Error("the e-mail is in the log")
		}
	})
}
