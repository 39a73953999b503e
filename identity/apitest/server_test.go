package apitest_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"b2trader.identity.auth/identity/apitest"
)

func TestRouting(t *testing.T) {
	for _, fold := range []bool{false, true} {
		c := inMemory(t, apitest.Config{FoldCase: fold})
		for _, path := range []string{"/api/*", "/api/v2/*", "/api/v2/users", "/Api/Mixed"} {
			c.server.Handle(path, apitest.Endpoint(path), func(x *apitest.Exchange) {
				x.JSON(http.StatusOK, "text/plain", x.Endpoint)
			})
		}
		for path, want := range map[string]string{
			"/api/v2/users":      "/api/v2/users",
			"/api/v2/users/7":    "/api/v2/*",
			"/api/v2/":           "/api/v2/*",
			"/api/v2":            "/api/*",
			"/api/v3/a/b":        "/api/*",
			"/api/v2?x=/api/v2/": "/api/*",
			"/Api/Mixed":         "/Api/Mixed",
			"/api":               "",
			"/":                  "",
		} {
			wantRoute(t, c, path, want)
		}
		if fold {
			wantRoute(t, c, "/API/V2/Users", "/api/v2/users")
			wantRoute(t, c, "/API/V2/More", "/api/v2/*")
			wantRoute(t, c, "/api/mixed", "/Api/Mixed")
		} else {
			wantRoute(t, c, "/API/V2/Users", "")
			wantRoute(t, c, "/api/mixed", "/api/*")
		}
	}
}

func wantRoute(t *testing.T, c *client, path, want string) {
	t.Helper()
	got := c.post(path, "")
	if want == "" {
		wantEqual(t, "status of "+path, got.status, http.StatusNotFound)
		return
	}
	wantEqual(t, "what answers "+path, got.body, `"`+want+`"`)
}

func TestHandlePanicsOnABadPath(t *testing.T) {
	server := inMemory(t, apitest.Config{Name: "mytest", FoldCase: true}).server
	for _, path := range []string{"", "no/slash", "/echo", "/ECHO"} {
		wantPanic(t, "Handle of "+path, "mytest: Handle: ", func() {
			server.Handle(path, endpointEcho, func(*apitest.Exchange) {})
		})
	}
}

// A server with another listener refuses connections from the network.
func TestServeHTTPRefusesConnectionsFromBeyondLoopback(t *testing.T) {
	c := inMemory(t, apitest.Config{Name: "mytest"})
	for _, tc := range []struct {
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
		r := httptest.NewRequest(http.MethodGet, "/other", nil)
		r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, tc.local))
		w := httptest.NewRecorder()
		c.server.ServeHTTP(w, r)
		wantEqual(t, "status at "+tc.local.String(), w.Code, tc.want)
		if refused := w.Code == http.StatusForbidden; refused != strings.HasPrefix(w.Body.String(), "mytest: ") {
			t.Errorf("at %s the body is %q", tc.local, w.Body)
		}
	}
	wantEqual(t, "count of requests", c.server.Count(endpointOther), 3)
}

// A printed or logged server shows its name only, also in another struct.
func TestFormat(t *testing.T) {
	c := inMemory(t, apitest.Config{Name: "mytest"})
	c.post("/echo", "s3cret", "Authorization", "Bearer s3cret")
	around := &struct {
		*apitest.Server
		secret string
	}{c.server, "s3cret"}
	wantEqual(t, "record", c.server.Requests(endpointEcho)[0].Header.Get("Authorization"), "Bearer "+around.secret)
	for _, v := range []any{c.server, around} {
		wantEqual(t, "print", fmt.Sprintf("%v %+v %#v %s %x", v, v, v, v, v), strings.TrimSpace(strings.Repeat("mytest.Server ", 5)))
		var log strings.Builder
		for _, h := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
			slog.New(h).Info("m", "server", v)
		}
		if text := log.String(); !strings.Contains(text, "server=mytest.Server") || strings.Contains(text, "s3cret") {
			t.Errorf("logged %s", text)
		}
	}
	wantEqual(t, "print without a name", fmt.Sprint(apitest.New(apitest.Config{})), "apitest.Server")
}

func TestBodiesAreBounded(t *testing.T) {
	c := onSocket(t)
	most := strings.Repeat("a", 1<<20)
	wantEqual(t, "status of 1 MiB", c.post("/other", most).status, http.StatusOK)
	wantEqual(t, "status of a byte more", c.post("/other", most+"a").status, http.StatusRequestEntityTooLarge)
	wantEqual(t, "count of requests", c.server.Count(endpointOther), 1)
}

func TestListenRefusesWhatIsNotLoopback(t *testing.T) {
	server := apitest.New(apitest.Config{Name: "mytest"})
	for addr, want := range map[string]string{
		":0": "is not a loopback address", "0.0.0.0:0": "is not a loopback address", "[::]:0": "is not a loopback address",
		"192.0.2.1:0": "is not a loopback address", "example.com:0": "is not a loopback address",
		"127.0.0.1": "missing port", "": "missing port",
	} {
		listener, err := server.Listen(addr)
		if err == nil {
			_ = listener.Close()
			t.Errorf("%q was accepted", addr)
			continue
		}
		if text := err.Error(); !strings.HasPrefix(text, "mytest: ") || !strings.Contains(text, want) {
			t.Errorf("%q is refused with %q, want %q", addr, text, want)
		}
	}
	wantEqual(t, "URL", server.URL(), "")
}

func TestListenTakesLoopback(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:0", "localhost:0", "127.1.2.3:0"} {
		server := apitest.New(apitest.Config{})
		listener, err := server.Listen(addr)
		if err != nil {
			t.Errorf("%q: %v", addr, err)
			continue
		}
		wantEqual(t, "URL", server.URL(), "http://"+listener.Addr().String())
		_ = listener.Close()
	}
}

func TestServeEndsWithTheTest(t *testing.T) {
	var c *client
	t.Run("serving", func(t *testing.T) {
		c = onSocket(t)
		wantEqual(t, "status", c.post("/other", "").status, http.StatusOK)
	})
	c.t = t
	if got, err := c.try("/other", ""); err == nil {
		t.Errorf("after the test the server answers %d", got.status)
	}
}
