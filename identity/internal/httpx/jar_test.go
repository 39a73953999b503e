package httpx

import (
	"net/http"
	"net/url"
	"testing"
)

// A lifetime that overflows a time.Duration is long, and not over.
func TestJarKeepsLongLivedCookies(t *testing.T) {
	server := &url.URL{Scheme: "https", Host: "server.example", Path: "/"}
	for line, want := range map[string]int{
		"a=1": 1, "a=1; Max-Age=60": 1, "a=1; Max-Age=31536000000": 1, "a=1; Max-Age=9223372036854775807": 1,
		"a=1; Max-Age=99999999999999999999": 1, "a=1; Max-Age=0": 0, "a=1; Max-Age=-1": 0,
	} {
		jar := NewJar()
		jar.SetCookies(server, (&http.Response{Header: http.Header{"Set-Cookie": {line}}}).Cookies())
		if got := len(jar.Cookies(server)); got != want {
			t.Errorf("%s: the jar has %d cookies, want %d", line, got, want)
		}
	}
}
