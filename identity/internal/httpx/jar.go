package httpx

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
)

// MaxCookieAge is the longest life of a cookie, in seconds: that of browsers, 400
// days (RFC 6265bis section 5.5).
const MaxCookieAge = 400 * 24 * 60 * 60

// A Jar is a cookie jar of net/http. That takes a Max-Age of 293 years or more,
// such as one that was meant in milliseconds, for one that is over.
type Jar struct{ *cookiejar.Jar }

// NewJar returns an empty Jar.
func NewJar() Jar {
	jar, _ := cookiejar.New(nil) // never fails
	return Jar{jar}
}

// SetCookies implements http.CookieJar.
func (j Jar) SetCookies(u *url.URL, received []*http.Cookie) {
	for _, cookie := range received {
		cookie.MaxAge = min(cookie.MaxAge, MaxCookieAge)
	}
	j.Jar.SetCookies(u, received)
}
