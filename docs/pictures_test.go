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

// TestPictures makes the pictures of the documents anew, if PICTURES is
// set. It needs chromium.
func TestPictures(t *testing.T) {
	if os.Getenv("PICTURES") == "" {
		t.Skip("PICTURES is not set: the pictures stay as they are")
	}
	site := startDemo(t)
	b := signIn(t, site)
	page, err := goquery.NewDocumentFromReader(b.get(t, "/platforms").Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range page.Find("form:has(input[name=platform])").EachIter() {
		b.post(t, "/platforms", url.Values{
			"platform": {form.Find("input[name=platform]").AttrOr("value", "")}, "action": {"sign-in"},
		})
	}
	b.get(t, "/platforms") // shows the notices of the sign-ins once
	proxy := httptest.NewServer(b.proxy())
	defer proxy.Close()
	b.get(t, "/account")
	screenshot(t, proxy.URL+"/account", "account.png", 760)
	screenshot(t, proxy.URL+"/platforms", "platforms.png", 1740)
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
	s.post(t, "/sign-in", url.Values{"email": {"admin@example.com"}, "password": {"admin-password"}, "client": {"spa_admin"}})
	return s
}

func (s session) get(t *testing.T, path string) *http.Response {
	t.Helper()
	return s.check(t, http.MethodGet, path)(s.client.Get(s.site.JoinPath(path).String()))
}

func (s session) post(t *testing.T, path string, form url.Values) {
	t.Helper()
	s.check(t, http.MethodPost, path)(s.client.PostForm(s.site.JoinPath(path).String(), form))
}

func (session) check(t *testing.T, method, path string) func(*http.Response, error) *http.Response {
	return func(resp *http.Response, err error) *http.Response {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = resp.Body.Close() })
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("%s %s = %s, want 200", method, path, resp.Status)
		}
		return resp
	}
}

// proxy returns a handler that adds the session's cookie, so that a browser that
// has none is signed in.
func (s session) proxy() http.Handler {
	return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(s.site)
		for _, c := range s.client.Jar.Cookies(s.site) {
			r.Out.AddCookie(c)
		}
	}}
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
