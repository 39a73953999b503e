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

func TestListenRefusesWhatIsNotLoopback(t *testing.T) {
	server := newServer(t)
	for _, addr := range []string{":0", "0.0.0.0:0", "[::]:0", "192.0.2.1:0", "example.com:0", "127.0.0.1", ""} {
		listener, err := server.Listen(addr)
		if err == nil {
			_ = listener.Close()
			t.Errorf("%q was accepted", addr)
		}
	}
	wantEqual(t, "URL", server.URL(), "")
}

func TestListenTakesLoopback(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:0", "localhost:0", "127.1.2.3:0"} {
		server := newServer(t)
		listener, err := server.Listen(addr)
		if err != nil {
			t.Errorf("%q: %v", addr, err)
			continue
		}
		wantEqual(t, "URL", server.URL(), "http://"+listener.Addr().String())
		_ = listener.Close()
	}
}

// A server behind someone else's listener still refuses to serve the network.
func TestServeHTTPRefusesConnectionsFromBeyondLoopback(t *testing.T) {
	server := newServer(t)
	for _, c := range []struct {
		local net.Addr
		want  int
	}{
		{&net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 80}, http.StatusForbidden},
		{&net.TCPAddr{IP: net.IPv4zero, Port: 80}, http.StatusForbidden},
		{&net.IPAddr{IP: net.IPv4(127, 0, 0, 1)}, http.StatusForbidden},
		{&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80}, http.StatusOK},
		{&net.TCPAddr{IP: net.IPv6loopback, Port: 80}, http.StatusOK},
		{&net.UnixAddr{Name: "/tmp/socket", Net: "unix"}, http.StatusOK},
	} {
		r := httptest.NewRequest(http.MethodGet, "/identity/.well-known/openid-configuration", nil)
		r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, c.local))
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		wantEqual(t, "status at "+c.local.String(), w.Code, c.want)
	}
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
