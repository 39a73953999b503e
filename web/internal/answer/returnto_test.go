package answer

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// returnToRefused is what strangers send to leave the site. req 8
var returnToRefused = []string{
	"", "account", "//evil.example", "///evil.example", "/\\evil.example", "\\evil.example", "\\\\evil.example",
	"/\\/evil.example", "https://evil.example", "http:evil.example", "HTTPS:/evil.example", "javascript:alert(1)",
	"/%2Fevil.example", "/%2f%2fevil.example", "/%5Cevil.example", "/%255cevil.example", "/%25252fevil.example",
	"/\tevil.example", "/\n/evil.example", "/\r\nSet-Cookie: a=b", "/%0d%0aSet-Cookie:a=b", "/%00", "/%7f",
	" /account", "/ /evil.example", "/%20/evil.example", "/.//evil.example", "/..//evil.example", "/a/../..//evil.example",
	"/%2e%2e//evil.example", "/%2e/%2fevil.example", "/account//evil.example", "/\u2028evil.example", "/\u00a0evil.example",
	"/%zz", "/.", "/..", "/a/../b", "/a/./b", "/a/%2e%2e/b", "/a/%252e%252e/b", "/a/..", "//user@evil.example", "/sign-in", "/sign-in?return_to=/", "/sign-in/second-factor", "?a=b", "#a", ".",
	"/" + strings.Repeat("a", 600),
}

var returnToKept = map[string]string{
	"/":                       "/",
	"/account":                "/account",
	"/try?call=orders&x=1":    "/try?call=orders&x=1",
	"/flow#top":               "/flow",
	"/try?next=https://a.b/c": "/try?next=https://a.b/c",
	"/a%2Db":                  "/a%2Db",
	"/sign-in-help":           "/sign-in-help",
}

// req 8
func TestReturnTo(t *testing.T) {
	for _, raw := range returnToRefused {
		if got := ReturnTo(raw); got != "/account" {
			t.Errorf("ReturnTo(%q) = %q, want /account", raw, got)
		}
	}
	for raw, want := range returnToKept {
		if got := ReturnTo(raw); got != want {
			t.Errorf("ReturnTo(%q) = %q, want %q", raw, got, want)
		}
	}
}

// req 8: whatever comes in, a browser that follows the redirect stays here.
func FuzzReturnTo(f *testing.F) {
	if len(returnToRefused) == 0 || len(returnToKept) == 0 {
		f.Fatal("no seeds")
	}
	for _, raw := range returnToRefused {
		f.Add(raw)
	}
	for raw := range returnToKept {
		f.Add(raw)
	}
	base, err := url.Parse("https://app.example/sign-in")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		got := ReturnTo(raw)
		if again := ReturnTo(got); again != got {
			t.Errorf("ReturnTo(%q) = %q, which is then refused as %q", raw, got, again)
		}
		w := httptest.NewRecorder()
		http.Redirect(w, httptest.NewRequest(http.MethodPost, "/sign-in", nil), got, http.StatusSeeOther)
		location := w.Header().Get("Location")
		for _, seen := range []string{got, location, browserReading(location), decoded(location), browserReading(decoded(location))} {
			u, err := base.Parse(seen)
			if err != nil || u.Scheme != "https" || u.Host != "app.example" || u.User != nil || strings.HasPrefix(u.Path, "//") {
				t.Errorf("ReturnTo(%q) = %q leads to %q (%v, %v)", raw, got, seen, u, err)
			}
		}
	})
}

// browserReading is how the WHATWG URL parser prepares an http URL: it drops
// tabs and newlines, trims controls and spaces, and takes "\" for "/".
func browserReading(s string) string {
	s = strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(s)
	s = strings.TrimFunc(s, func(r rune) bool { return r <= ' ' })
	return strings.ReplaceAll(s, `\`, "/")
}

// decoded is the path of s percent-decoded once more, as a careless proxy may do.
func decoded(s string) string {
	path, _, _ := strings.Cut(s, "?")
	if d, err := url.PathUnescape(path); err == nil {
		return d
	}
	return path
}
