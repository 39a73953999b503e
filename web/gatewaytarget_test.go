package web_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"b2trader.identity.auth/web"
)

// req 97: what is not a plain path is refused, in any spelling, without a
// redirect, and nothing of it reaches the API.
func TestPathTricks(t *testing.T) {
	s := newAPISite(t)
	a := s.signedIn()
	host := s.server.Listener.Addr().String()
	for _, target := range []string{
		"/api/frontoffice/../secret", "/api/frontoffice/v3/..", "/api/frontoffice/./x", "/api/frontoffice/v3/.", "/api/../api/frontoffice/x",
		"/api/frontoffice//x", "/api//frontoffice/x", "//api/frontoffice/x", "/x/../api/frontoffice/x", "/./api/frontoffice/x", "/api/frontoffice/x//",
		"/api/frontoffice/%2e%2e/secret", "/api/frontoffice/%2E%2e/secret", "/api/frontoffice/.%2e/x", "/api/frontoffice/%2e/x",
		"/api/frontoffice/a%2fb", "/api/frontoffice/a%2Fb", "/api/frontoffice/..%2f..%2fsecret", "/api/frontoffice/a%5cb", `/api/frontoffice/a\b`,
		`/api/frontoffice/..\..\secret`, "/api/frontoffice/%252e%252e/x", "/api/frontoffice/a%252fb", "/api/frontoffice/a%25252fb", "/api/frontoffice/a%" + strings.Repeat("25", 40000) + "20b", "/api/frontoffice/a%255cb",
		"/api/frontoffice/..;/x", "/api/frontoffice/..;a=b/x", "/api/frontoffice/%2e%2e;/x", "/api/frontoffice/a%00b", "/api/frontoffice/a%0d%0ab",
		"/api/frontoffice/a%7fb", "/api/frontoffice/a%c0%afb", "/api/frontoffice/%c0%ae%c0%ae/x", "/api/frontoffice/100%25", "/%61pi/frontoffice/x", "/api%2ffrontoffice/x",
		"http://evil.example/api/frontoffice/x", "http://" + host + "/api/frontoffice/x", "http://user:pw@" + host + "/api/frontoffice/x",
		"http:/api/frontoffice/x", "@evil.example/api/frontoffice/x", "/api/frontoffice/\x01x", "/api/frontoffice/%zz", "/api/frontoffice/a b",
	} {
		lines := a.raw(a.head("GET "+target+" HTTP/1.1") + "\r\n")
		if len(lines) != 1 || !strings.HasPrefix(lines[0], "400 ") {
			t.Errorf("%q gives %q", target, lines)
		}
	}
	if n := s.upstream.count(); n != 0 {
		r, _ := s.upstream.last(t)
		t.Errorf("%d of them reached the API, the last as %s", n, r.RequestURI)
	}
}

// req 97: what is left means to the API what it meant to us, and the Host is the
// API's.
func TestPlainPaths(t *testing.T) {
	s := newAPISite(t)
	a := s.signedIn()
	for target, want := range map[string]string{
		"/api/frontoffice/":                          "/frontoffice/api/",
		"/api/frontoffice/v3/orders/":                "/frontoffice/api/v3/orders/",
		"/api/frontoffice/v3/BTC%20USD":              "/frontoffice/api/v3/BTC%20USD",
		"/api/frontoffice/v3/%D0%9A?q=%2F..%2F&r=//": "/frontoffice/api/v3/%D0%9A?q=%2F..%2F&r=//",
		"/api/frontoffice/v3/a;b=c/..x/x../...":      "/frontoffice/api/v3/a;b=c/..x/x../...",
		"/api/frontoffice/v3/@evil.example:80":       "/frontoffice/api/v3/@evil.example:80",
		"/api/frontoffice/http://evil.example/":      "", // it has an empty segment
		"/api/frontoffice/v3/x%3Fy%23z":              "/frontoffice/api/v3/x%3Fy%23z",
		"/api/frontoffice/v3/a#b":                    "/frontoffice/api/v3/a%23b",
	} {
		before := s.upstream.count()
		lines := a.raw(a.head("GET "+target+" HTTP/1.1") + "\r\n")
		if want == "" {
			if len(lines) != 1 || !strings.HasPrefix(lines[0], "400 ") || s.upstream.count() != before {
				t.Errorf("%s gives %q", target, lines)
			}
			continue
		}
		if s.upstream.count() != before+1 {
			t.Errorf("%s gives %q", target, lines)
			continue
		}
		if r, _ := s.upstream.last(t); r.RequestURI != want || "http://"+r.Host != s.upstream.server.URL {
			t.Errorf("%s reaches the API as %s at %s", target, r.RequestURI, r.Host)
		}
	}
}

// field 28: the API gets the query byte for byte, or nothing. A parameter that is
// lost on the way makes the call do more than was asked.
func TestQueryIsNotWidened(t *testing.T) {
	s := newAPISite(t)
	a := s.signedIn()
	for _, query := range []string{
		"ids=17;18", "ids=17;ids=18", ";", "ids=17&;&x=1", "a;b=c&d=e", "ids=%zz", "ids=17%", "%=1&ids=17", "ids=%00&x=%ff", "ids=17%3B18", "ids=17%2518", "",
		"ids=17&ids=18", "ids=&ids", "&&ids=17&", "=", "ids[]=17&ids[]=18", "ids={17|18}^`", `q="<'>\`, "q=a+b", "q=é", "q=\xff", "ids=17?x=18", "q=" + strings.Repeat("a=1;", 3000),
	} {
		before := s.upstream.count()
		lines := a.raw(a.head("DELETE /api/frontoffice/v3/orders?"+query+" HTTP/1.1") + "Content-Length: 0\r\n\r\n")
		if s.upstream.count() != before+1 {
			t.Errorf("DELETE ?%s = %q, and the API got nothing", query, lines)
			continue
		}
		if r, _ := s.upstream.last(t); r.RequestURI != "/frontoffice/api/v3/orders?"+query {
			t.Errorf("DELETE ?%s reached the API as %s", query, r.RequestURI)
		}
	}
	before := s.upstream.count()
	for _, query := range []string{"ids=17#", "#ids=17", "x=1#&ids=17", "ids=17 18", "ids=17\x0118", "ids=\x7f"} {
		lines := a.raw(a.head("DELETE /api/frontoffice/v3/orders?"+query+" HTTP/1.1") + "Content-Length: 0\r\n\r\n")
		if len(lines) != 1 || !strings.HasPrefix(lines[0], "400 ") {
			t.Errorf("DELETE ?%q = %q, want 400", query, lines)
		}
	}
	if n := s.upstream.count() - before; n != 0 {
		t.Errorf("the API got %d of the refused calls", n)
	}
}

// HTTP/2 carries a space, which would end the target in the request line that the
// API gets.
func TestQueryWithSpace(t *testing.T) {
	s := newAPISite(t)
	a := s.signedIn()
	over2 := httptest.NewUnstartedServer(s.web)
	over2.EnableHTTP2 = true
	over2.StartTLS()
	t.Cleanup(over2.Close)
	for _, query := range []string{"ids=17 18", "ids=17 HTTP/1.0", " "} {
		r := a.request(http.MethodDelete, "/api/frontoffice/v3/orders", "", "Cookie", a.cookie())
		r.URL.Scheme, r.URL.Host, r.URL.RawQuery = "https", over2.Listener.Addr().String(), query
		resp, err := over2.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if resp.ProtoMajor != 2 {
			t.Fatalf("the call came by %s", resp.Proto)
		}
		a.refused(reply{resp, string(body)}, http.StatusBadRequest, "bad_request") // and not by the API
	}
}

// The base of an API keeps its spelling.
func TestEscapedBase(t *testing.T) {
	s := newAPISite(t, func(c *web.Config) { c.FrontOfficeURL += "%2Feurope" })
	a := s.signedIn()
	for _, rest := range []string{"v3/x", "v3/x%20y"} {
		a.get("/api/frontoffice/" + rest)
		if r, _ := s.upstream.last(t); r.RequestURI != "/frontoffice%2Feurope/api/"+rest {
			t.Errorf("%s reaches the API as %s", rest, r.RequestURI)
		}
	}
}

// field 28: a refused token does not change the query of the repeated call.
func TestQueryOfRepeatedCall(t *testing.T) {
	got, f, s := replayed(t, func(a *app) *http.Request {
		return a.request(http.MethodDelete, "/api/frontoffice/v3/orders?ids=17;18", "")
	})
	if r, _ := s.upstream.last(t); got.StatusCode != http.StatusOK || len(f.tokens) != 2 || r.URL.RawQuery != "ids=17;18" {
		t.Errorf("DELETE ?ids=17;18 = %d after %d calls, the last with %q", got.StatusCode, len(f.tokens), r.URL.RawQuery)
	}
}

// req 98
func TestMethodsOfCalls(t *testing.T) {
	s := newAPISite(t, func(c *web.Config) { c.FrontOffice.Methods = []string{"GET", "PURGE"} })
	a := s.signedIn()
	for _, method := range []string{"HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "get", "PROPFIND"} {
		got := a.send(method, "/api/frontoffice/v3/x", "")
		if got.StatusCode != http.StatusMethodNotAllowed || got.Header.Get("Allow") != "GET, PURGE" {
			t.Errorf("%s gives %d, Allow %q", method, got.StatusCode, got.Header.Get("Allow"))
		}
	}
	if lines := a.raw(a.head("CONNECT /api/frontoffice/v3/x HTTP/1.1") + "\r\n"); len(lines) != 1 || !strings.HasPrefix(lines[0], "405 ") {
		t.Errorf("CONNECT gives %q", lines)
	}
	if s.upstream.count() != 0 {
		t.Error("one of them reached the API")
	}
	for i, method := range []string{"GET", "PURGE"} {
		if got := a.send(method, "/api/frontoffice/v3/x", ""); got.StatusCode != http.StatusOK || s.upstream.count() != i+1 {
			t.Errorf("%s gives %d", method, got.StatusCode)
		}
	}
	usual := newAPISite(t)
	a = usual.signedIn()
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} {
		if got := a.send(method, "/api/frontoffice/v3/x", ""); got.StatusCode != http.StatusOK {
			t.Errorf("%s gives %d", method, got.StatusCode)
		}
	}
	for _, method := range []string{"OPTIONS", "TRACE"} {
		a.refused(a.send(method, "/api/frontoffice/v3/x", ""), http.StatusMethodNotAllowed, "method_not_allowed")
	}
}

// req 105: net/http refuses these, or we do; in no case does a second request,
// hidden in the body of the first, reach the API.
func TestRequestSmuggling(t *testing.T) {
	s := newAPISite(t)
	a := s.signedIn()
	const hidden = "GET /api/frontoffice/v3/hidden HTTP/1.1\r\nHost: x\r\n\r\n"
	for name, c := range map[string]struct{ header, body, status string }{
		"TE and CL":            {"Content-Length: 6\r\nTransfer-Encoding: chunked", "0\r\n\r\n" + hidden, "411"},
		"CL and TE":            {"Transfer-Encoding: chunked\r\nContent-Length: 6", "0\r\n\r\n" + hidden, "411"},
		"TE alone":             {"Transfer-Encoding: chunked", "1\r\nx\r\n0\r\n\r\n" + hidden, "411"},
		"two lengths":          {"Content-Length: 0\r\nContent-Length: 57", hidden, "400"},
		"a list of lengths":    {"Content-Length: 0, 57", hidden, "400"},
		"a signed length":      {"Content-Length: +57", hidden, "400"},
		"two encodings":        {"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", "0\r\n\r\n" + hidden, "501"},
		"an unknown encoding":  {"Transfer-Encoding: xchunked", "0\r\n\r\n" + hidden, "501"},
		"a space before colon": {"Transfer-Encoding : chunked", "0\r\n\r\n" + hidden, "400"},
		"a folded encoding":    {"Transfer-Encoding:\r\n chunked\r\nContent-Length: 6", "0\r\n\r\n" + hidden, "4"},
		"a bare CR":            {"X: y\rTransfer-Encoding: chunked", hidden, "400"},
		"two hosts":            {"Host: other.example", "", "400"},
	} {
		lines := a.raw(a.head("POST /api/frontoffice/v3/x HTTP/1.1") + c.header + "\r\n\r\n" + c.body)
		if len(lines) != 1 || !strings.HasPrefix(lines[0], c.status) {
			t.Errorf("%s gives %q", name, lines)
		}
	}
	if n := s.upstream.count(); n != 0 {
		r, _ := s.upstream.last(t)
		t.Errorf("%d of them reached the API, the last as %s %s", n, r.Method, r.RequestURI)
	}
}
