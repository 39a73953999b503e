package showcase

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"b2trader.identity.auth/templates/pagetest"
	"b2trader.identity.auth/web"
)

var (
	hook  = regexp.MustCompile(`\[data-[a-z-]+\]|querySelector\("(\.[a-z-]+)"\)`)
	state = regexp.MustCompile(`this\.show\("([a-z]+)"\)`)
)

// live.js finds its places on the page, and a sentence for each state.
func TestLiveScriptFindsItsHooks(t *testing.T) {
	w := httptest.NewRecorder()
	assets.ServeHTTP(w, httptest.NewRequest(http.MethodGet, assets.URL("live.js"), nil))
	doc := pagetest.Document(t, page(t, livePath, livePage("/showcase/live.js")))
	hooks, states := hook.FindAllStringSubmatch(w.Body.String(), -1), state.FindAllStringSubmatch(w.Body.String(), -1)
	if len(hooks) < 8 || len(states) < 4 {
		t.Fatalf("%d hooks and %d states in live.js, want at least 8 and 4", len(hooks), len(states))
	}
	for _, h := range hooks {
		selector := h[0]
		if h[1] != "" {
			selector = h[1]
		}
		if doc.Find(selector).Length() == 0 {
			t.Errorf("live.js asks for %s, which is not on the page", selector)
		}
	}
	for _, s := range states {
		if n := doc.Find(`[data-live-state="` + s[1] + `"]`).Length(); n != 1 {
			t.Errorf("%d sentences for the state %s, want 1", n, s[1])
		}
	}
}

// Without JavaScript the page says so and leads to what works.
func TestLivePageWithoutJavaScript(t *testing.T) {
	doc := pagetest.Document(t, page(t, livePath, livePage("/showcase/live.js")))
	words := pagetest.Words(doc.Find("main .no-js"))
	if !strings.Contains(words, "needs JavaScript") || doc.Find(`main .no-js a[href="/try"]`).Length() != 1 {
		t.Errorf("without JavaScript the page says %q, want that it needs it, and a link to Try an API", words)
	}
	if doc.Find("main > .needs-js [data-live-prices] tr").Length() != priceRows || doc.Find("main > .needs-js [data-live-orders] tr").Length() != orderRows {
		t.Error("the tables do not have all rows from the beginning")
	}
}

// A site without a FrontOffice has no streams to show.
func TestLivePageNeedsAFrontOffice(t *testing.T) {
	for base, want := range map[string]bool{"": false, "https://trader.example.com/frontoffice": true} {
		var c web.Config
		(&Showcase{config: Config{FrontOfficeURL: base}}).AddTo(&c)
		if got := slices.ContainsFunc(c.Pages, func(p web.Page) bool { return p.Path == livePath && p.Name != "" }); got != want {
			t.Errorf("page Live prices with FrontOfficeURL %q = %v, want %v", base, got, want)
		}
	}
}
