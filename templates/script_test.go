package templates

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"b2trader.identity.auth/static"
	"b2trader.identity.auth/templates/pagetest"
)

var hook = regexp.MustCompile(`\[data-[a-z-]+\]|getElementById\("([a-z-]+)"\)`)

// app.js finds elements by data attributes and ids. Each one that it asks for is
// on a page.
func TestScriptFindsItsHooks(t *testing.T) {
	w := httptest.NewRecorder()
	static.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, static.URL("app.js"), nil))
	var all strings.Builder
	for _, s := range samples() {
		all.WriteString(render(t, s.page))
	}
	doc := pagetest.Document(t, all.String())
	hooks := hook.FindAllStringSubmatch(w.Body.String(), -1)
	if len(hooks) < 6 {
		t.Fatalf("only %d hooks found in app.js", len(hooks))
	}
	for _, h := range hooks {
		selector := h[0]
		if h[1] != "" {
			selector = "#" + h[1]
		}
		if doc.Find(selector).Length() == 0 {
			t.Errorf("app.js asks for %s, which no page has", selector)
		}
	}
}
