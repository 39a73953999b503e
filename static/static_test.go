package static

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

// get sends one request to the handler.
func get(t *testing.T, method, path string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, path, nil)
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, r)
	return w
}

func TestHandlerServesEachFileForGood(t *testing.T) {
	types := map[string]string{
		"base.css":     "text/css; charset=utf-8",
		"app.css":      "text/css; charset=utf-8",
		"forms.css":    "text/css; charset=utf-8",
		"sessions.css": "text/css; charset=utf-8",
		"app.js":       "text/javascript; charset=utf-8",
		"favicon.svg":  "image/svg+xml",
		"icon-180.png": "image/png",
	}
	if len(types) != len(own.assets) {
		t.Errorf("%d files are served, %d are tested", len(own.assets), len(types))
	}
	for name, contentType := range types {
		w := get(t, "GET", URL(name))
		if w.Code != 200 || w.Body.Len() == 0 {
			t.Errorf("%s: status %d, %d bytes", name, w.Code, w.Body.Len())
		}
		for header, want := range map[string]string{
			"Content-Type":           contentType,
			"X-Content-Type-Options": "nosniff", // req 92
			"Cache-Control":          "public, max-age=31536000, immutable",
		} {
			if got := w.Header().Get(header); got != want {
				t.Errorf("%s: %s is %q, want %q", name, header, got, want)
			}
		}
	}
}

func TestURLCarriesTheHashOfTheContent(t *testing.T) {
	sum := sha256.Sum256(get(t, "GET", URL("app.css")).Body.Bytes())
	if got, want := URL("app.css"), "/static/app."+hex.EncodeToString(sum[:8])+".css"; got != want {
		t.Errorf("URL is %q, want %q", got, want)
	}
	if got := URL("no-such-file.css"); got != "" {
		t.Errorf("URL of a file that does not exist is %q", got)
	}
}

func TestHandlerHead(t *testing.T) {
	w := get(t, "HEAD", URL("app.js"))
	if w.Code != 200 || w.Body.Len() != 0 || w.Header().Get("Content-Length") == "" {
		t.Errorf("status %d, %d bytes, Content-Length %q", w.Code, w.Body.Len(), w.Header().Get("Content-Length"))
	}
}

func TestHandlerRefuses(t *testing.T) {
	for _, c := range []struct {
		name, method, path string
		want               int
	}{
		{"the plain name", "GET", "/static/app.css", 404},
		{"a method that writes", "POST", URL("app.css"), 405},
	} {
		w := get(t, c.method, c.path)
		if w.Code != c.want {
			t.Errorf("%s: status %d, want %d", c.name, w.Code, c.want)
		}
		if cc := w.Header().Get("Cache-Control"); cc != "" {
			t.Errorf("%s: Cache-Control %q", c.name, cc)
		}
		if c.want == 405 && w.Header().Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: Allow is %q", c.name, w.Header().Get("Allow"))
		}
	}
}

// An icon is an SVG of our own, so it must hold nothing that runs or fetches.
func TestIconIsInert(t *testing.T) {
	svg := get(t, "GET", URL("favicon.svg")).Body.String()
	for _, bad := range []string{"<script", "href", "style=", "onload"} {
		if strings.Contains(svg, bad) {
			t.Errorf("favicon.svg holds %q", bad)
		}
	}
}

// A host application's files are served as the site's own.
func TestFilesOfAHost(t *testing.T) {
	f, err := New("/assets/", fstest.MapFS{"orders.css": {Data: []byte("h1{}")}})
	if err != nil {
		t.Fatal(err)
	}
	url := f.URL("orders.css")
	w := httptest.NewRecorder()
	f.ServeHTTP(w, httptest.NewRequest(http.MethodGet, url, nil))
	if !strings.HasPrefix(url, "/assets/orders.") || w.Code != 200 || w.Body.String() != "h1{}" {
		t.Errorf("GET %s = %d %q, want 200 and the style sheet below /assets/", url, w.Code, w.Body)
	}
	if _, err := New("/assets/", fstest.MapFS{"notes.txt": {}}); err == nil {
		t.Error("New accepts notes.txt, whose type it does not know")
	}
}
