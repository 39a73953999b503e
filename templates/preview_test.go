package templates

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"b2trader.identity.auth/static"
)

// TestPreview renders every sample with its assets. If PREVIEW_DIR is set, it
// writes them to that directory, to look at in a browser.
func TestPreview(t *testing.T) {
	dir := os.Getenv("PREVIEW_DIR")
	if dir == "" {
		dir = t.TempDir()
	}
	all := append(samples(), sample{"token", TokenCard(sampleToken(), nil)})
	for _, s := range all {
		page := render(t, s.page)
		writePreview(t, filepath.Join(dir, s.name+".html"), page)
	}
	for _, name := range []string{"base.css", "app.css", "forms.css", "sessions.css", "app.js", "favicon.svg", "icon-180.png"} {
		w := httptest.NewRecorder()
		static.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, static.URL(name), nil))
		if w.Code != 200 {
			t.Errorf("%s: status %d", name, w.Code)
		}
		writePreview(t, filepath.Join(dir, static.URL(name)), w.Body.String())
	}
}

func writePreview(t *testing.T, file, content string) {
	t.Helper()
	if content == "" {
		t.Errorf("%s is empty", file)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}
