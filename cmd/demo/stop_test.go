package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"b2trader.identity.auth/identity/identitytest"
)

// An office is an IdentityServer and its APIs, whose token endpoint can be held up.
type office struct {
	*identitytest.Server
	url  string
	done chan struct{} // closed with the test

	mu      sync.Mutex
	arrived chan struct{} // closed when a request is held up
	open    chan struct{} // nil: requests pass; else they wait for it
}

func startOffice(t *testing.T, lifetime time.Duration) *office {
	t.Helper()
	server, err := identitytest.New(identitytest.Config{AccessTokenLifetime: lifetime})
	if err != nil {
		t.Fatal(err)
	}
	o := &office{Server: server, done: make(chan struct{})}
	listener := httptest.NewServer(o)
	t.Cleanup(func() {
		close(o.done)
		listener.CloseClientConnections()
		listener.Close()
	})
	o.url = listener.URL
	return o
}

// ServeHTTP implements http.Handler.
func (o *office) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, "/connect/token") {
		o.mu.Lock()
		arrived, open := o.arrived, o.open
		o.arrived = nil
		o.mu.Unlock()
		if arrived != nil {
			close(arrived)
		}
		if open != nil {
			select {
			case <-open:
			case <-r.Context().Done():
				return
			case <-o.done:
				return
			}
		}
	}
	if strings.HasSuffix(r.URL.Path, "/api/stream") {
		o.stream(w, r)
		return
	}
	o.Server.ServeHTTP(w, r)
}

// stream is an event stream without an end.
func (o *office) stream(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	_, _ = io.WriteString(w, "data: open\n\n")
	_ = http.NewResponseController(w).Flush()
	select {
	case <-r.Context().Done():
	case <-o.done:
	}
}

// hold holds up token requests from now on. The first channel is closed when one has come; pass lets them pass.
func (o *office) hold() (arrived <-chan struct{}, pass func()) {
	came, open := make(chan struct{}), make(chan struct{})
	o.mu.Lock()
	defer o.mu.Unlock()
	o.arrived, o.open = came, open
	return came, func() { close(open) }
}

// args are those of a process of this office.
func (o *office) args(more ...string) []string {
	return append([]string{"-identity-url", o.url, "-frontoffice-url", o.url + "/frontoffice"}, more...)
}

// newBrowser keeps cookies, by host: processes on one host share its sessions, as behind a load balancer.
func newBrowser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{DisableKeepAlives: true}
	return &http.Client{Jar: jar, Transport: transport, Timeout: patience, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
}

var traderForm = url.Values{"email": {"trader@example.com"}, "password": {"trader-password"}, "client": {"spa"}}

// post sends a form and returns the status, 0 if there was no answer.
func post(ctx context.Context, browser *http.Client, target string, form url.Values) int {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, target, strings.NewReader(form.Encode()))
	if err != nil {
		return 0
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return status(browser, r)
}

// get returns the status, 0 if there was no answer.
func get(ctx context.Context, browser *http.Client, target string) int {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return 0
	}
	return status(browser, r)
}

func status(browser *http.Client, r *http.Request) int {
	resp, err := browser.Do(r)
	if err != nil {
		return 0
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

// refuses reports whether a demo's address takes no connections any more.
func (d *demo) refuses() bool {
	conn, err := net.Dial("tcp", strings.TrimPrefix(d.site, "http://"))
	if err != nil {
		return true
	}
	_ = conn.Close()
	return false
}

// req 131: a stop takes no new requests, and finishes those under way.
func TestGracefulStop(t *testing.T) {
	t.Parallel()
	o := startOffice(t, 0)
	d := start(t, o.args()...)
	arrived, pass := o.hold()
	signedIn := make(chan int, 1)
	go func() { signedIn <- post(t.Context(), newBrowser(t), d.site+"/sign-in", traderForm) }()
	<-arrived
	d.end(nil)
	until(t, "no more listening", d.refuses)
	select {
	case status := <-signedIn:
		t.Fatalf("the request under way was answered %d too early", status)
	default:
	}
	pass()
	if got := <-signedIn; got != http.StatusSeeOther {
		t.Errorf("the request under way was answered %d", got)
	}
	d.stop()
}

// A stop ends streams, which would never be finished, and does not count as one that took too long.
func TestStopEndsStreams(t *testing.T) {
	t.Parallel()
	o := startOffice(t, 0)
	d := start(t, o.args()...)
	browser := newBrowser(t)
	if got := post(t.Context(), browser, d.site+"/sign-in", traderForm); got != http.StatusSeeOther {
		t.Fatalf("the sign-in is answered %d", got)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, d.site+"/api/frontoffice/stream", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Requested-With", "test")
	resp, err := browser.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if first := make([]byte, 6); resp.StatusCode != http.StatusOK || readFull(resp.Body, first) != "data: " {
		t.Fatalf("the stream is answered %d", resp.StatusCode)
	}
	d.end(nil)
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Errorf("the stream ended by %v", err)
	}
	d.stop()
}

func readFull(r io.Reader, b []byte) string {
	n, _ := io.ReadFull(r, b)
	return string(b[:n])
}
