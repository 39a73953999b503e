package web_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"b2trader.identity.auth/web"
)

// BenchmarkProxy compares an authenticated call of 1 KiB through the whole
// site with the same call through nothing but a tuned httputil.ReverseProxy, in
// one run, over loopback. Only the ratio of the two means anything; run it with
// -count and compare medians:
//
//	go test -run '^$' -bench Proxy -count 8 ./web
func BenchmarkProxy(b *testing.B) {
	s := newAPISite(b, func(c *web.Config) {
		c.Logger = slog.New(slog.NewJSONHandler(io.Discard, nil)) // lines are made, and go nowhere
	})
	a := s.signedIn()
	body := []byte(strings.Repeat("x", 1<<10))
	s.upstream.server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	})
	bare := httptest.NewServer(barePool(b, s.upstream.server.URL))
	b.Cleanup(bare.Close)
	for _, connections := range []int{1, 32} {
		for _, target := range []struct{ name, url string }{
			{"bare", bare.URL + "/frontoffice/api/v3/x"},
			{"site", s.server.URL + "/api/frontoffice/v3/x"},
		} {
			b.Run(fmt.Sprintf("%s/%d", target.name, connections), func(b *testing.B) {
				load(b, connections, target.url, a.cookie())
			})
		}
	}
}

// barePool is the floor: ReverseProxy with our transport and a buffer pool.
func barePool(b *testing.B, upstream string) http.Handler {
	target, err := url.Parse(upstream)
	if err != nil {
		b.Fatal(err)
	}
	return &httputil.ReverseProxy{
		Rewrite:    func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport:  web.NewAPITransport(),
		BufferPool: &benchBuffers{sync.Pool{New: func() any { return new([32 << 10]byte) }}},
	}
}

type benchBuffers struct{ pool sync.Pool }

// Get implements httputil.BufferPool.
func (p *benchBuffers) Get() []byte { return p.pool.Get().(*[32 << 10]byte)[:] }

// Put implements httputil.BufferPool.
func (p *benchBuffers) Put(b []byte) { p.pool.Put((*[32 << 10]byte)(b)) }

// load makes b.N calls over so many connections, each as soon as the last is answered.
func load(b *testing.B, connections int, url, cookie string) {
	transport := &http.Transport{MaxIdleConnsPerHost: connections, DisableCompression: true}
	defer transport.CloseIdleConnections()
	var left atomic.Int64
	left.Store(int64(b.N))
	var running sync.WaitGroup
	b.ResetTimer()
	for range connections {
		running.Go(func() {
			for left.Add(-1) >= 0 {
				r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, url, nil)
				if err != nil {
					b.Error(err)
					return
				}
				r.Header["Cookie"] = []string{cookie}
				r.Header["X-Requested-With"] = []string{"fetch"}
				r.Header["Accept"] = []string{"application/json"}
				resp, err := transport.RoundTrip(r)
				if err != nil {
					b.Error(err)
					return
				}
				n, _ := io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
				if resp.StatusCode != http.StatusOK || n != 1<<10 {
					b.Errorf("%d with %d bytes", resp.StatusCode, n)
					return
				}
			}
		})
	}
	running.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
}
