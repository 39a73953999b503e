package web

import (
	"encoding/base64"
	"net/http"
	"time"
	"unicode/utf8"
)

// rememberedEmailLife is how long a browser remembers an e-mail after the last
// sign-in that asked for it.
const rememberedEmailLife = 90 * 24 * time.Hour

// maxEmail bounds the e-mail in a form, in bytes (RFC 5321, section 4.5.3.1.3).
const maxEmail = 254

// rememberedEmail returns the e-mail that the browser was asked to remember, or
// "". The cookie only fills in the sign-in form.
func (s *signInPages) rememberedEmail(r *http.Request) string {
	email, err := base64.RawURLEncoding.DecodeString(s.emailCookie.Of(r))
	if err != nil || len(email) > maxEmail || !utf8.Valid(email) {
		return ""
	}
	return string(email)
}

// rememberEmail has the browser remember the e-mail of a sign-in that asked for
// it, and forget the one that it remembered otherwise.
func (s *signInPages) rememberEmail(w http.ResponseWriter, r *http.Request, p *pendingSignIn) {
	switch {
	case p.remember && len(p.Email) <= maxEmail:
		s.emailCookie.Set(w, base64.RawURLEncoding.EncodeToString([]byte(p.Email)))
	case s.emailCookie.Of(r) != "":
		s.emailCookie.Set(w, "")
	}
}
