package web_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"b2trader.identity.auth/web"
)

// req 89: every call, of every method, carries the header, or stays here.
func TestRequiredHeader(t *testing.T) {
	s := newAPISite(t)
	a := s.signedIn()
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} {
		got := a.send(method, "/api/frontoffice/v3/x", "", "X-Requested-With", "")
		if method == http.MethodHead {
			if got.StatusCode != http.StatusForbidden {
				t.Errorf("HEAD gives %d", got.StatusCode)
			}
			continue
		}
		a.refused(got, http.StatusForbidden, "header_required")
	}
	// What an EventSource sends is proof enough only of a stream, and only with proof of where it is from.
	for name, header := range map[string][]string{
		"stream without origin": {"Accept", "text/event-stream", "Sec-Fetch-Site", ""},
		"no stream":             {"Accept", "application/json", "Origin", s.server.URL},
	} {
		got := a.get("/api/frontoffice/v3/x", append(header, "X-Requested-With", "")...)
		if got.StatusCode != http.StatusForbidden {
			t.Errorf("%s gives %d", name, got.StatusCode)
		}
	}
	if got := a.send("POST", "/api/frontoffice/v3/x", "", "X-Requested-With", "", "Accept", "text/event-stream"); got.StatusCode != http.StatusForbidden {
		t.Errorf("a stream by POST gives %d", got.StatusCode)
	}
	if s.upstream.count() != 0 {
		t.Error("one of them reached the API")
	}
	for _, header := range [][]string{{"Sec-Fetch-Site", "same-origin"}, {"Sec-Fetch-Site", "", "Origin", s.server.URL}} {
		got := a.get("/api/frontoffice/v3/x", append(header, "X-Requested-With", "", "Accept", "text/event-stream")...)
		if got.StatusCode != http.StatusOK {
			t.Errorf("a stream with %q gives %d", header, got.StatusCode)
		}
	}
}

// req 88, 91: another site's call is refused whatever its method, and a
// preflight gets no leave.
func TestForeignCalls(t *testing.T) {
	s := newAPISite(t)
	a := s.signedIn()
	for _, header := range [][]string{
		{"Sec-Fetch-Site", "cross-site"},
		{"Sec-Fetch-Site", "same-site"},
		{"Sec-Fetch-Site", "", "Origin", "https://evil.example"},
		{"Sec-Fetch-Site", "", "Origin", "null"},
		{"Sec-Fetch-Site", "", "Origin", s.server.URL + ".evil.example"},
		{"Origin", "https://evil.example"},
	} {
		for _, method := range []string{"GET", "POST", "DELETE"} {
			a.refused(a.send(method, "/api/frontoffice/v3/x", "", header...), http.StatusForbidden, "cross_origin")
		}
	}
	r := a.request(http.MethodGet, "/api/frontoffice/v3/x", "")
	r.Header["Origin"] = []string{s.server.URL, "https://evil.example"}
	a.refused(a.do(r), http.StatusForbidden, "cross_origin")
	preflight := a.send(http.MethodOptions, "/api/frontoffice/v3/x", "", "X-Requested-With", "", "Sec-Fetch-Site", "cross-site",
		"Origin", "https://evil.example", "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "x-requested-with")
	a.refused(preflight, http.StatusMethodNotAllowed, "method_not_allowed")
	for name := range preflight.Header {
		if strings.HasPrefix(name, "Access-Control-") {
			t.Errorf("a preflight gets %s", name)
		}
	}
	if s.upstream.count() != 0 {
		t.Error("one of them reached the API")
	}
}

// req 99, 100: of a browser's headers only harmless ones reach the API.
func TestRequestHeaders(t *testing.T) {
	s := newAPISite(t, func(c *web.Config) { c.FrontOffice.RequestHeaders = []string{"x-account"} })
	a := s.signedIn()
	r := a.request(http.MethodPost, "/api/frontoffice/v3/x", "{}", "Accept", "application/json", "Accept-Language", "de", "Content-Type", "application/json",
		"If-Match", `"1"`, "User-Agent", "a browser", "X-Account", "7", "Idempotency-Key", "k", "Accept-Encoding", "br")
	forged := []string{
		"Authorization", "Proxy-Authorization", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Uri", "X-Forwarded-User", "X-Forwarded-Email",
		"X-Forwarded-Access-Token", "Forwarded", "X-Real-Ip", "True-Client-Ip", "Cf-Connecting-Ip", "Remote-User", "X-Remote-User", "X-Auth-Request-User",
		"X-Authenticated-User", "X-User", "X-User-Id", "X-Client-Cert", "X-Original-Url", "X-Rewrite-Url", "X-Http-Method-Override", "X_forwarded_for",
		"Via", "Max-Forwards", "Origin", "Referer", "Te", "X-Anything",
	}
	for _, name := range forged {
		r.Header.Set(name, "forged")
	}
	r.Header.Set("Origin", s.server.URL)
	r.Header.Set("Te", "trailers")
	r.Header.Set("X-Forwarded-For", "198.51.100.9")
	r.Header.Set("X-Request-Id", "forged")
	r.Header.Set("Cookie", "other=forged")
	a.do(r)
	got, _ := s.upstream.last(t)
	want := map[string]string{
		"Accept": "application/json", "Accept-Language": "de", "Content-Type": "application/json", "If-Match": `"1"`, "User-Agent": "a browser",
		"X-Account": "7", "Idempotency-Key": "k", "Accept-Encoding": "br", "Content-Length": "2", "X-Forwarded-For": "127.0.0.1",
	}
	for name, values := range got.Header {
		switch {
		case name == "Authorization":
			if len(values) != 1 || !strings.HasPrefix(values[0], "Bearer eyJ") {
				t.Errorf("Authorization %q", values)
			}
		case name == "X-Request-Id":
			if len(values) != 1 || values[0] == "forged" {
				t.Errorf("X-Request-Id %q", values)
			}
		case len(values) != 1 || values[0] != want[name]:
			t.Errorf("the API gets %s: %q", name, values)
		}
		delete(want, name)
	}
	if len(want) != 0 {
		t.Errorf("the API does not get %v", want)
	}
}

// req 100: what a client puts into Connection takes nothing of ours away.
func TestConnectionHeader(t *testing.T) {
	s := newAPISite(t)
	a := s.signedIn()
	for _, value := range []string{"Authorization", "close, authorization, X-Forwarded-For, X-Request-Id", "Cookie, Host"} {
		a.do(a.request(http.MethodGet, "/api/frontoffice/v3/x", "", "Connection", value))
		got, _ := s.upstream.last(t)
		for _, name := range []string{"Authorization", "X-Forwarded-For", "X-Request-Id"} {
			if got.Header.Get(name) == "" {
				t.Errorf("Connection: %s strips %s", value, name)
			}
		}
		if got.Header.Get("Connection") != "" {
			t.Errorf("Connection %q reaches the API", got.Header.Get("Connection"))
		}
	}
}

// req 109: the API hears of the browser's address, as far as it can be believed.
func TestForwardedAddress(t *testing.T) {
	for name, c := range map[string]struct {
		trusted []netip.Prefix
		want    string
	}{
		"no trusted proxy":   {nil, "127.0.0.1"},
		"a proxy is trusted": {[]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8")}, "198.51.100.9"},
	} {
		s := newAPISite(t, func(config *web.Config) { config.TrustedProxies = c.trusted })
		s.signedIn().get("/api/frontoffice/v3/x", "X-Forwarded-For", "203.0.113.1, 198.51.100.9, 10.1.2.3")
		if got, _ := s.upstream.last(t); !slices.Equal(got.Header.Values("X-Forwarded-For"), []string{c.want}) {
			t.Errorf("%s: %q", name, got.Header.Values("X-Forwarded-For"))
		}
	}
}

// req 92, 101: what an API says about cookies, authentication, other origins or
// the whole site stays with it.
func TestResponseHeaders(t *testing.T) {
	s := newAPISite(t)
	a := s.signedIn()
	held := []string{"Set-Cookie", "WWW-Authenticate", "Access-Control-Allow-Origin", "Clear-Site-Data", "Retry-After"} // the last is named by Connection
	s.upstream.will(func(w http.ResponseWriter, _ *http.Request) {
		for _, name := range held {
			w.Header().Set(name, "upstream")
		}
		for _, name := range []string{"Content-Security-Policy", "X-Content-Type-Options", "X-Request-Id", "Cross-Origin-Resource-Policy"} {
			w.Header().Set(name, "upstream") // ours stands
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("ETag", `"1"`)
		w.Header().Set("X-RateLimit-Remaining", "3")
		w.Header().Set("Connection", "retry-after")
		w.Header().Set("Trailer", "Set-Cookie, X-Later")
		_, _ = w.Write([]byte("<script>alert(1)</script>"))
		w.Header().Set("Set-Cookie", "late=1")
		w.Header().Set("X-Later", "1")
	})
	got := a.get("/api/frontoffice/v3/x")
	for _, name := range held {
		if values := got.Header.Values(name); len(values) != 0 {
			t.Errorf("%s: %q", name, values)
		}
	}
	if len(got.Trailer) != 0 {
		t.Errorf("a trailer comes through: %v", got.Trailer)
	}
	for name, want := range map[string]string{
		"Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'", "X-Content-Type-Options": "nosniff",
		"Cross-Origin-Resource-Policy": "same-origin", "Content-Type": "text/html; charset=utf-8",
		"Etag": `"1"`, "X-Ratelimit-Remaining": "3",
	} {
		if values := got.Header.Values(name); !slices.Equal(values, []string{want}) {
			t.Errorf("%s: %q, want %q", name, values, want)
		}
	}
	s.upstream.will(func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = nil
		_, _ = w.Write([]byte("<script>alert(1)</script>"))
	})
	if got := a.get("/api/frontoffice/v3/x").Header.Get("Content-Type"); got != "application/octet-stream" {
		t.Errorf("an answer without a type becomes %s", got)
	}
}

// field 27: of an API's headers only known ones and the configured ones arrive,
// so that the API steers no cache and no proxy in front of this site.
func TestResponseHeadersAreListed(t *testing.T) {
	s := newAPISite(t, func(c *web.Config) { c.FrontOffice.ResponseHeaders = []string{"x-account-version"} })
	a := s.signedIn()
	dropped := []string{
		"X-Accel-Redirect", "X-Accel-Expires", "X-Accel-Buffering", "X-Accel-Charset", "X-Accel-Limit-Rate", "X-Sendfile", "X-Lighttpd-Send-File",
		"X-Reproxy-Url", "Surrogate-Control", "Surrogate-Key", "CDN-Cache-Control", "Cloudflare-CDN-Cache-Control", "Vercel-Cdn-Cache-Control",
		"Edge-Control", "Cache-Tag", "Xkey", "X-LiteSpeed-Cache-Control", "No-Vary-Search", "Server", "Via", "X-Powered-By", "X-Anything",
		"X_Accel_Redirect", "Pragma", "Server-Timing", "Cache-Status",
	}
	kept := map[string]string{
		"Accept-Ranges": "bytes", "Age": "1", "Allow": "GET", "Content-Disposition": "attachment", "Content-Language": "de", "Content-Range": "bytes 0-1/2",
		"Date": "Thu, 26 Nov 2026 00:00:00 GMT", "ETag": `"1"`, "Expires": "0", "Last-Modified": "Thu, 26 Nov 2026 00:00:00 GMT", "Link": "</api/x>; rel=next",
		"RateLimit": "limit=1", "RateLimit-Limit": "1", "RateLimit-Policy": "1;w=1", "Retry-After": "1", "Traceparent": "00-1-2-01", "X-Account-Version": "3",
		"X-RateLimit-Limit": "1", "X-RateLimit-Remaining": "2", "X-RateLimit-Reset": "3", "Content-Type": "application/json", "Content-Encoding": "br",
	}
	s.upstream.will(func(w http.ResponseWriter, r *http.Request) {
		for _, name := range dropped {
			w.Header()[name] = []string{"upstream"}
		}
		for name, value := range kept {
			w.Header().Set(name, value)
		}
		w.Header().Set("Vary", "Accept")
		if strings.HasSuffix(r.URL.Path, "/missing") {
			w.WriteHeader(http.StatusNotFound)
		}
	})
	for _, path := range []string{"/api/frontoffice/v3/x", "/api/frontoffice/v3/missing"} {
		got := a.get(path)
		for _, name := range dropped {
			if values := slices.Concat(got.Header[name], got.Header.Values(name)); len(values) != 0 {
				t.Errorf("%s: %s = %q, want none", path, name, values)
			}
		}
		for name, want := range kept {
			if values := got.Header.Values(name); !slices.Equal(values, []string{want}) {
				t.Errorf("%s: %s = %q, want %q", path, name, values, want)
			}
		}
		if values := got.Header.Values("Vary"); !slices.Equal(values, []string{"Accept", "Cookie"}) {
			t.Errorf("%s: Vary = %q, want Accept and Cookie", path, values)
		}
	}
}

// field 38: Date and Content-Length arrive, also where the server writes them in
// place of the API.
func TestDateAndLengthArrive(t *testing.T) {
	s := newAPISite(t)
	a := s.signedIn()
	for _, size := range []int{0, 1, 2 << 10, 2<<10 + 1, 40 << 10} {
		for _, date := range []string{time.Now().UTC().Format(http.TimeFormat), "Thu, 26 Nov 2020 00:00:00 GMT"} {
			for _, method := range []string{http.MethodGet, http.MethodHead} {
				s.upstream.will(func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Date", date)
					w.Header().Set("Content-Length", strconv.Itoa(size))
					_, _ = w.Write(make([]byte, size)) // an error for HEAD
				})
				got := a.send(method, "/api/frontoffice/v3/x", "")
				sent, err := http.ParseTime(date)
				arrived, err2 := http.ParseTime(got.Header.Get("Date"))
				if err != nil || err2 != nil || arrived.Sub(sent).Abs() > time.Minute || len(got.Header["Date"]) != 1 {
					t.Errorf("%s of %d bytes: Date = %q, want %q", method, size, got.Header["Date"], date)
				}
				if got.ContentLength != int64(size) || len(got.TransferEncoding) != 0 {
					t.Errorf("%s of %d bytes: Content-Length = %d %q, want %d", method, size, got.ContentLength, got.TransferEncoding, size)
				}
			}
		}
	}
}

// req 101: an informational answer carries headers past every other check, and is not passed on.
func TestInformationalAnswers(t *testing.T) {
	s := newAPISite(t)
	a := s.signedIn()
	s.upstream.will(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Set-Cookie", "early=1")
		w.Header().Set("Link", "</x>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusOK)
	})
	conn, err := net.Dial("tcp", s.server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := fmt.Fprint(conn, a.head("GET /api/frontoffice/v3/x HTTP/1.1"), "\r\n"); err != nil {
		t.Fatal(err)
	}
	reader := textproto.NewReader(bufio.NewReader(conn))
	line, _ := reader.ReadLine()
	header, err := reader.ReadMIMEHeader()
	if !strings.HasPrefix(line, "HTTP/1.1 200") || err != nil || header.Get("Set-Cookie") != "" || header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%s %v %v", line, header, err)
	}
}

// req 101: redirects of the API lead to the API on this site, or nowhere.
func TestRedirects(t *testing.T) {
	s := newAPISite(t)
	a := s.signedIn()
	base := s.upstream.server.URL
	for location, want := range map[string]string{
		base + "/frontoffice/api/v3/b?c=d#e":  "/api/frontoffice/v3/b?c=d#e",
		"/frontoffice/api/v3/b%20c":           "/api/frontoffice/v3/b%20c",
		"b":                                   "/api/frontoffice/v3/b",
		"../v4/b":                             "/api/frontoffice/v4/b",
		"?q=1":                                "/api/frontoffice/v3/a?q=1",
		"https://evil.example/":               "",
		"//evil.example/frontoffice/api/v3/b": "",
		base + "/identity/sign-in":            "",
		"/frontoffice/api":                    "",
		"/frontoffice/apix/b":                 "",
		"../../../secret":                     "",
		base + "/frontoffice/api/%2e%2e/%2e%2e/secret":                               "",
		base + "/frontoffice/api//evil.example":                                      "",
		strings.Replace(base, "http://", "http://u:p@", 1) + "/frontoffice/api/v3/b": "",
		strings.Replace(base, "http:", "https:", 1) + "/frontoffice/api/v3/b":        "",
		"javascript:alert(1)": "",
		"http://[":            "",
	} {
		for _, status := range []int{http.StatusFound, http.StatusTemporaryRedirect, http.StatusCreated} {
			s.upstream.will(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", location)
				w.WriteHeader(status)
			})
			got := a.get("/api/frontoffice/v3/a")
			switch {
			case want == "" && status != http.StatusCreated:
				a.refused(got, http.StatusBadGateway, "upstream_redirect")
			case got.StatusCode != status || got.Header.Get("Location") != want:
				t.Errorf("%d to %q gives %d to %q, want %q", status, location, got.StatusCode, got.Header.Get("Location"), want)
			}
		}
	}
	if n := s.upstream.count(); n != 51 {
		t.Errorf("the API got %d calls, want 51: redirects are not followed here", n)
	}
	s.upstream.will(func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Location"] = []string{"", "https://evil.example/"}
		w.WriteHeader(http.StatusFound)
	})
	if got := a.get("/api/frontoffice/v3/a"); len(got.Header.Values("Location")) != 0 {
		t.Errorf("two Locations, the first empty, give %q", got.Header.Values("Location"))
	}
}

// req 93
func TestCaching(t *testing.T) {
	s := newAPISite(t)
	a := s.signedIn()
	for said, want := range map[string]string{
		"": "no-store", "no-store": "no-store", "public, no-store": "no-store", "max-age=60": "private, max-age=60",
		"public, max-age=60, s-maxage=600": "private, max-age=60", "Private, No-Cache": "private, no-cache",
	} {
		s.upstream.will(func(w http.ResponseWriter, _ *http.Request) {
			if said != "" {
				w.Header().Set("Cache-Control", said)
			}
		})
		got := a.get("/api/frontoffice/v3/x")
		if values := got.Header.Values("Cache-Control"); !slices.Equal(values, []string{want}) {
			t.Errorf("%q becomes %q, want %q", said, values, want)
		}
		if !slices.Contains(got.Header.Values("Vary"), "Cookie") { // field 27: also beside no-store
			t.Errorf("%q: Vary = %q, want Cookie in it", said, got.Header.Values("Vary"))
		}
	}
}
