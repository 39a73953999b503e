package identity

import (
	"net/http"
	"net/url"
	"slices"
	"time"

	"b2trader.identity.auth/identity/internal/httpx"
)

// cookies is the cookie jar of one sign-in. Unlike the jar of net/http, it can be
// exported: it keeps each Set-Cookie line as the server sent it. It is not safe
// for concurrent use.
type cookies struct {
	httpx.Jar
	now func() time.Time
	set []setCookie
}

// setCookie is one Set-Cookie line.
type setCookie struct {
	Path string    `json:"p"` // of the URL that it came from
	Line string    `json:"l"`
	At   time.Time `json:"t"`
}

func newCookies(now func() time.Time) *cookies {
	return &cookies{Jar: httpx.NewJar(), now: now}
}

// SetCookies implements http.CookieJar.
func (c *cookies) SetCookies(u *url.URL, received []*http.Cookie) {
	c.Jar.SetCookies(u, received)
	for _, cookie := range received {
		line := cookie.Raw
		if line == "" {
			line = cookie.String()
		}
		next := setCookie{u.EscapedPath(), line, c.now()}
		c.set = slices.DeleteFunc(c.set, func(old setCookie) bool { return old.replacedBy(next.Path, cookie) })
		c.set = append(c.set, next)
	}
}

// replacedBy reports whether a cookie from a path has the place of s: "the same
// name, domain-value, path-value" (RFC 6265 section 5.3, step 11).
func (s setCookie) replacedBy(path string, by *http.Cookie) bool {
	old, err := http.ParseSetCookie(s.Line)
	return err != nil || old.Name == by.Name && old.Domain == by.Domain && old.Path == by.Path && (by.Path != "" || s.Path == path)
}

// restore takes over what another jar of the same server kept.
func (c *cookies) restore(server *url.URL, set []setCookie) {
	for _, s := range set {
		cookie, err := http.ParseSetCookie(s.Line)
		from, pathErr := server.Parse(s.Path)
		if err != nil || pathErr != nil {
			continue
		}
		if cookie.MaxAge > 0 { // which counts from when the line came
			life := time.Duration(min(cookie.MaxAge, httpx.MaxCookieAge)) * time.Second
			left := s.At.Add(life).Sub(c.now())
			if left < time.Second {
				continue
			}
			cookie.MaxAge = int(left / time.Second)
		}
		c.Jar.SetCookies(from, []*http.Cookie{cookie})
	}
	c.set = set
}
