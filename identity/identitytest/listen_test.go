package identitytest_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"b2trader.identity.auth/identity/identitytest"
)

func newServer(t *testing.T) *identitytest.Server {
	t.Helper()
	server, err := identitytest.New(identitytest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return server
}

func TestServesUnderHTTPTestAndTLS(t *testing.T) {
	server := newServer(t)
	secure := httptest.NewTLSServer(server)
	defer secure.Close()
	b := newBrowser(t, server, secure.URL, secure.Client().Transport)
	got := b.postJSON("/identity/sign-in", `{"email":"trader@example.com","password":"trader-password"}`)
	for _, cookie := range got.header["Set-Cookie"] {
		if !strings.Contains(cookie, "; secure") {
			t.Errorf("cookie over TLS without secure: %s", cookie)
		}
	}
	doc := decode[map[string]any](t, b.get("/identity/.well-known/openid-configuration").body)
	wantEqual(t, "issuer", doc["issuer"], any(secure.URL+"/identity"))
}

func TestPathsIgnoreTheirCase(t *testing.T) {
	b := start(t, identitytest.Config{})
	wantEqual(t, "status", b.get("/Identity/Connect/Authorize").status, http.StatusFound)
}
