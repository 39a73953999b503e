package web_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"b2trader.identity.auth/web"
)

// field 38: an authenticated call allocates few objects more than one through a
// bare httputil.ReverseProxy.
func TestCallObjects(t *testing.T) {
	site, bare := proxiedCalls(t)
	got, floor := testing.AllocsPerRun(500, site), testing.AllocsPerRun(500, bare)
	if got > floor+3 {
		t.Errorf("a call allocates %v objects, want at most 3 more than the %v of a bare proxy", got, floor)
	}
}

// BenchmarkCall compares the handler of the site with a bare
// httputil.ReverseProxy, without sockets. BenchmarkProxy in e2e has the cost of a
// whole call. docs/architecture.md says where the rest goes.
//
//	GOGC=400 go test -run '^$' -bench '^BenchmarkCall$' -cpu 1 ./web
func BenchmarkCall(b *testing.B) {
	site, bare := proxiedCalls(b)
	for name, call := range map[string]func(){"site": site, "bare": bare} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				call()
			}
		})
	}
}

// proxiedCalls returns a call of 1 KiB through the site, and through a well
// tuned httputil.ReverseProxy.
func proxiedCalls(t testing.TB) (site, bare func()) {
	body := strings.Repeat("x", 1<<10)
	api := transportFunc(func(r *http.Request) (*http.Response, error) {
		ctx, cancel := context.WithCancelCause(r.Context()) // as http.Transport
		defer cancel(nil)
		return &http.Response{StatusCode: http.StatusOK, ContentLength: int64(len(body)), Body: io.NopCloser(strings.NewReader(body)), Header: http.Header{
			"Content-Type": {"application/json"}, "Content-Length": {"1024"}, "Date": {time.Now().UTC().Format(http.TimeFormat)},
		}}, context.Cause(ctx)
	})
	s := newAPISite(t, func(c *web.Config) { c.Logger, c.APITransport, c.Now = slog.New(slog.DiscardHandler), api, nil })
	target, err := url.Parse(s.upstream.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	a := s.signedIn()
	asked := a.request(http.MethodGet, "/api/frontoffice/v3/x", "", "Cookie", "theme=dark; "+a.cookie())
	asked.URL, asked.RemoteAddr, asked.Body = &url.URL{Path: asked.URL.Path}, "192.0.2.1:1234", http.NoBody
	call := func(h http.Handler) func() {
		server := context.WithValue(t.Context(), http.ServerContextKey, &http.Server{WriteTimeout: time.Minute})
		return func() {
			ctx, cancel := context.WithCancel(server)
			defer cancel()
			w := &serverWriter{header: make(http.Header)}
			if h.ServeHTTP(w, asked.WithContext(ctx)); w.bytes != len(body) {
				t.Fatalf("answer = %d bytes, want %d", w.bytes, len(body))
			}
		}
	}
	bearer := []string{"Bearer " + strings.Repeat("t", 900)}
	return call(s.web), call(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Header["Authorization"] = bearer
		},
		Transport: api, BufferPool: &benchBuffers{sync.Pool{New: func() any { return new([32 << 10]byte) }}},
	})
}

// serverWriter copies the header of an answer, as the server of net/http does.
type serverWriter struct {
	header, sent http.Header
	bytes        int
}

// Header implements http.ResponseWriter.
func (w *serverWriter) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *serverWriter) WriteHeader(int) { w.sent = w.header.Clone() }

// Write implements http.ResponseWriter.
func (w *serverWriter) Write(b []byte) (int, error) {
	w.bytes += len(b)
	return len(b), nil
}

type benchBuffers struct{ pool sync.Pool }

// Get implements httputil.BufferPool.
func (p *benchBuffers) Get() []byte { return p.pool.Get().(*[32 << 10]byte)[:] }

// Put implements httputil.BufferPool.
func (p *benchBuffers) Put(b []byte) { p.pool.Put((*[32 << 10]byte)(b)) }
