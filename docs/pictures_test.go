//go:build pictures

package docs

import (
	"bufio"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
)

// TestPictures makes the pictures of the documents anew. It needs chromium.
func TestPictures(t *testing.T) {
	site := startDemo(t)
	b := signIn(t, site)
	proxy := httptest.NewServer(b.proxy(t))
	defer proxy.Close()
	screenshot(t, proxy.URL+"/account", "account.png", 990)
	screenshot(t, proxy.URL+"/platforms", "platforms.png", 1800) // two rows of cards
}

// startDemo builds and starts the demo and returns its URL.
func startDemo(t *testing.T) *url.URL {
	t.Helper()
	program := filepath.Join(t.TempDir(), "demo")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "../cmd/demo").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	demo := exec.CommandContext(t.Context(), program, "-addr", "127.0.0.1:0")
	demo.Stderr = os.Stderr
	out, err := demo.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	demo.Cancel = func() error { return demo.Process.Signal(os.Interrupt) }
	if err := demo.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = demo.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	site, err := url.Parse(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	return site
}

// A session is a signed-in session at the demo.
type session struct {
	site   *url.URL
	client *http.Client
}

func signIn(t *testing.T, site *url.URL) session {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	s := session{site, &http.Client{Jar: jar}}
	s.fetch(t, "/sign-in", url.Values{"email": {"admin@example.com"}, "password": {"admin-password"}, "client": {"spa_admin"}})
	return s
}

// fetch returns the page that answers a GET of path, or a POST if form is not nil.
func (s session) fetch(t *testing.T, path string, form url.Values) *goquery.Document {
	t.Helper()
	address := s.site.JoinPath(path).String()
	get := func() (*http.Response, error) { return s.client.Get(address) }
	if form != nil {
		get = func() (*http.Response, error) { return s.client.PostForm(address, form) }
	}
	resp, err := get()
	if err != nil {
		t.Errorf("%s: %v", path, err)
		return &goquery.Document{Selection: &goquery.Selection{}}
	}
	defer func() { _ = resp.Body.Close() }()
	page, err := goquery.NewDocumentFromReader(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("%s = %s, %v, want 200", path, resp.Status, err)
	}
	return page
}

// proxy returns a handler that adds the session's cookie, so that a browser that
// has none is signed in. It signs in to the platforms when the browser asks for
// their page, because the browser may start slowly and tokens expire soon.
func (s session) proxy(t *testing.T) http.Handler {
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(s.site)
		for _, c := range s.client.Jar.Cookies(s.site) {
			r.Out.AddCookie(c)
		}
	}}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/platforms" {
			s.signInToPlatforms(t)
		}
		proxy.ServeHTTP(w, r)
	})
}

// signInToPlatforms signs in to each platform.
func (s session) signInToPlatforms(t *testing.T) {
	for _, form := range s.fetch(t, "/platforms", nil).Find("form:has(input[name=platform])").EachIter() {
		platform := form.Find("input[name=platform]").AttrOr("value", "")
		s.fetch(t, "/platforms", url.Values{"platform": {platform}, "action": {"sign-in"}})
	}
	s.fetch(t, "/platforms", nil) // shows the notices of the sign-ins once
}

// screenshot writes a picture of a page, 1280 pixels wide.
func screenshot(t *testing.T, page, file string, height int) {
	t.Helper()
	path, err := filepath.Abs(file)
	if err != nil {
		t.Fatal(err)
	}
	chromium := exec.CommandContext(t.Context(), "chromium", "--headless", "--no-sandbox", "--disable-gpu",
		"--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
		"--user-data-dir="+t.TempDir(), fmt.Sprintf("--window-size=1280,%d", height), "--virtual-time-budget=1000", "--screenshot="+path, page)
	if out, err := chromium.CombinedOutput(); err != nil {
		t.Fatalf("chromium: %v\n%s", err, out)
	}
}
