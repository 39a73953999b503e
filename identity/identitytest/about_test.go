package identitytest_test

import (
	"net/http"
	"strings"
	"testing"

	"b2trader.identity.auth/identity/identitytest"
)

// field 3
func TestAbout(t *testing.T) {
	b := start(t, identitytest.Config{})
	got := b.get("/")
	wantEqual(t, "status", got.status, http.StatusOK)
	wantEqual(t, "Content-Type", got.header.Get("Content-Type"), "text/html; charset=utf-8")
	for _, want := range []string{"IdentityServer", "test", "/identity/.well-known/openid-configuration"} {
		if !strings.Contains(got.body, want) {
			t.Errorf("the page lacks %q: %s", want, got.body)
		}
	}
	wantEqual(t, "status of POST", b.postForm("/", nil).status, http.StatusMethodNotAllowed)
	wantEqual(t, "status of another path", b.get("/index.html").status, http.StatusNotFound)
}
