package web

import (
	"net/http"
	"time"
)

// A lastingCookie is a cookie that outlives the session and opens nothing.
type lastingCookie struct {
	name   string
	life   time.Duration
	secure bool // whether browsers reach the site by https
}

// Name returns the name of the cookie. The prefix has browsers take the cookie
// only from the site itself (RFC 6265bis, section 4.1.3.2).
func (c lastingCookie) Name() string {
	if c.secure {
		return "__Host-" + c.name
	}
	return c.name
}

// Of returns the value that the browser has, or "".
func (c lastingCookie) Of(r *http.Request) string {
	cookie, err := r.Cookie(c.Name())
	if err != nil {
		return ""
	}
	return cookie.Value
}

// Set gives the browser a value, or deletes the cookie if value is empty.
func (c lastingCookie) Set(w http.ResponseWriter, value string) {
	age := int(c.life / time.Second)
	if value == "" {
		age = -1
	}
	//nolint:gosec // Secure if the site is reached by https
	http.SetCookie(w, &http.Cookie{
		Name: c.Name(), Value: value, Path: "/", MaxAge: age, Secure: c.secure, HttpOnly: true, SameSite: http.SameSiteStrictMode,
	})
}
