package web_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"b2trader.identity.auth/web"
)

// BenchmarkProxy compares an authenticated call of 1 KiB through the whole
// site with the same call through nothing but a tuned httputil.ReverseProxy.
// Both are measured in turns, over loopback and in one process, and the ratio is
// the median of the turns' ratios; the numbers themselves mean little elsewhere.
func BenchmarkProxy(b *testing.B) {
	s := newAPISite(b, func(c *web.Config) {
		c.Logger = slog.New(slog.NewJSONHandler(onlyWriter{io.Discard}, nil)) // at the usual level; lines are made, and go nowhere
	})
	a := s.signedIn()
	body := []byte(strings.Repeat("x", 1<<10))
	s.upstream.server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	})
	bare := httptest.NewServer(barePool(b, s.upstream.server.URL, ""))
	b.Cleanup(bare.Close)
	a.get("/api/frontoffice/v3/x")
	token := httptest.NewServer(barePool(b, s.upstream.server.URL, "Bearer "+strings.Repeat("t", 1000)))
	b.Cleanup(token.Close)
	for _, connections := range []int{1, 32} {
		b.Run(fmt.Sprintf("connections=%d", connections), func(b *testing.B) {
			inTurns(b, connections, a.cookie(), map[string]string{
				"bare": bare.URL + "/frontoffice/api/v3/x", "bearer": token.URL + "/frontoffice/api/v3/x", "site": s.server.URL + "/api/frontoffice/v3/x",
			})
		})
	}
}

// inTurns has each target called b.N times in all, some at a time.
func inTurns(b *testing.B, connections int, cookie string, targets map[string]string) {
	const turns = 20
	heap := make([]byte, 64<<20) // as a process has that serves many: an empty one collects garbage all the time
	defer runtime.KeepAlive(heap)
	took, cpu := make(map[string][]time.Duration), make(map[string]time.Duration)
	calls := max(1, b.N/turns)
	for turn := range turns + 1 {
		for name, url := range targets {
			before := cpuTime(b)
			d := load(b, connections, calls, url, cookie)
			if turn > 0 { // the first one warms up
				took[name] = append(took[name], d)
				cpu[name] += cpuTime(b) - before
			}
		}
	}
	for name := range targets {
		ratios := make([]float64, turns)
		var all time.Duration
		for i, d := range took[name] {
			ratios[i] = took["bare"][i].Seconds() / d.Seconds()
			all += d
		}
		slices.Sort(ratios)
		b.ReportMetric(ratios[turns/2], name+"/bare")
		b.ReportMetric(float64(turns*calls)/all.Seconds(), name+"-req/s")
		b.ReportMetric(cpu["bare"].Seconds()/cpu[name].Seconds(), name+"/bare-cpu")
	}
}

// barePool is the floor: ReverseProxy with our transport and a buffer pool. With
// authorization it sends that along, as every proxy that keeps tokens must.
func barePool(b *testing.B, upstream, authorization string) http.Handler {
	target, err := url.Parse(upstream)
	if err != nil {
		b.Fatal(err)
	}
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			if authorization != "" {
				r.Out.Header["Authorization"] = []string{authorization}
			}
		},
		Transport:  web.NewAPITransport(),
		BufferPool: &benchBuffers{sync.Pool{New: func() any { return new([32 << 10]byte) }}},
	}
}

type benchBuffers struct{ pool sync.Pool }

// Get implements httputil.BufferPool.
func (p *benchBuffers) Get() []byte { return p.pool.Get().(*[32 << 10]byte)[:] }

// Put implements httputil.BufferPool.
func (p *benchBuffers) Put(b []byte) { p.pool.Put((*[32 << 10]byte)(b)) }

// cpuTime is what this process has used: caller, proxy and API together.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

type onlyWriter struct{ io.Writer }

// load makes calls over so many connections, each as soon as the last is answered.
func load(b *testing.B, connections, calls int, url, cookie string) time.Duration {
	transport := &http.Transport{MaxIdleConnsPerHost: connections, DisableCompression: true}
	defer transport.CloseIdleConnections()
	var left atomic.Int64
	left.Store(int64(calls))
	var running sync.WaitGroup
	began := time.Now()
	for range connections {
		running.Go(func() {
			for left.Add(-1) >= 0 {
				if err := callOnce(b, transport, url, cookie); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	running.Wait()
	return time.Since(began)
}

func callOnce(b *testing.B, transport *http.Transport, url, cookie string) error {
	r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	r.Header["Cookie"] = []string{cookie}
	r.Header["X-Requested-With"] = []string{"fetch"}
	r.Header["Accept"] = []string{"application/json"}
	resp, err := transport.RoundTrip(r)
	if err != nil {
		return err
	}
	n, err := io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	if err == nil && (resp.StatusCode != http.StatusOK || n != 1<<10) {
		return fmt.Errorf("%d with %d bytes", resp.StatusCode, n)
	}
	return err
}
