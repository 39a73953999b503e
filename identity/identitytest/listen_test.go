package identitytest_test

import (
	"context"
	"net"
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

// Package apitest tests the rule; this server must not get around it.
func TestNotBeyondLoopback(t *testing.T) {
	server := newServer(t)
	if listener, err := server.Listen("192.0.2.1:0"); err == nil {
		_ = listener.Close()
		t.Errorf("Listen(192.0.2.1:0) = %v, want an error", listener.Addr())
	}
	r := httptest.NewRequest(http.MethodGet, discoveryPath, nil)
	r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, net.Addr(&net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)})))
	w := httptest.NewRecorder()
	server.ServeHTTP(w, r)
	wantEqual(t, "status at 192.0.2.1", w.Code, http.StatusForbidden)
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

func TestUnknownPathsAndHugeBodies(t *testing.T) {
	b := start(t, identitytest.Config{})
	wantEqual(t, "status of an unknown path", b.get("/identity/nothing").status, http.StatusNotFound)
	wantEqual(t, "status of another case", b.get("/Identity/Connect/Authorize").status, http.StatusFound)
	got, err := b.try(http.MethodPost, "/identity/connect/token", strings.Repeat("a", 1<<20+1))
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, "status of a huge body", got.status, http.StatusRequestEntityTooLarge)
}
