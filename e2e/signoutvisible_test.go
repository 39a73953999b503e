package e2e

import (
	"net/http"
	"testing"
	"time"
)

// req 120: whoever is signed in can sign out from every page, also from those
// that say that something went wrong.
func TestSignOutIsOnEveryPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	b := w.browser()
	b.signIn(trader, "spa")
	for path, status := range map[string]int{
		"/account": http.StatusOK, "/try": http.StatusOK, "/flow": http.StatusOK, "/sign-in": http.StatusOK,
		"/machine": http.StatusForbidden, "/no/such/page": http.StatusNotFound, "/sign-out": http.StatusMethodNotAllowed,
		"/sign-in/second-factor?attempt=none": http.StatusForbidden,
	} {
		if p := b.open(path); p.status != status || p.doc().Find(`form[action="/sign-out"]`).Length() == 0 {
			t.Errorf("%s: %d, and no way to sign out", path, p.status)
		}
	}
	w.provider.down.Store(true)
	w.clock.advance(time.Minute)
	if p := b.open("/try").submit("/try", "account"); p.status != http.StatusServiceUnavailable || p.doc().Find(`form[action="/sign-out"]`).Length() == 0 {
		t.Errorf("the API call of an outage: %d, and no way to sign out", p.status)
	}
}
