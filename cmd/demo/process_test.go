package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/store/storetest/servers"
)

// binary builds the program as the Dockerfile does, once for all tests.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "b2trader-demo-")
	if err != nil {
		return "", err
	}
	program := filepath.Join(dir, "demo")
	image, err := theImage()
	if err != nil {
		return program, err
	}
	cmd := exec.Command("sh", "-c", strings.Replace(image.build, "/out/demo", program, 1))
	cmd.Dir = "../.."
	if out, err := cmd.CombinedOutput(); err != nil {
		return program, fmt.Errorf("%s: %w: %s", image.build, err, out)
	}
	return program, nil
})

// built says that there is something to remove.
var built atomic.Bool

func TestMain(m *testing.M) {
	code := servers.Main(m)
	if built.Load() {
		program, _ := binary()
		_ = os.RemoveAll(filepath.Dir(program))
	}
	os.Exit(code)
}

// A process is the program, running by itself.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	site  string // the first line that it printed
	log   lockedLog
	ended chan struct{}
	err   error // how it ended
}

// lockedLog is what a process writes to stderr.
type lockedLog struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write implements io.Writer.
func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lockedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// launch starts a process, on a free port and without a delay at its end unless
// args say otherwise, and waits until it serves.
func launch(t *testing.T, args ...string) *process {
	t.Helper()
	built.Store(true)
	program, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, cmd: exec.Command(program, append([]string{"-addr", "127.0.0.1:0", "-stop-delay", "0"}, args...)...), ended: make(chan struct{})}
	p.cmd.Stderr = &p.log
	p.cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "B2TRADER_") }) // its settings are args
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.ended
		if t.Failed() {
			t.Logf("%s wrote:\n%s", p.site, &p.log)
		}
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() && !strings.Contains(lines.Text(), "Ctrl-C") {
		if p.site == "" {
			p.site = lines.Text()
		}
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	if p.site == "" {
		<-p.ended
		t.Fatalf("it did not start: %v", p.err)
	}
	return p
}

// terminate asks the process to end.
func (p *process) terminate() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
}

// wait waits for the end, and returns how it came.
func (p *process) wait() error {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.t.Fatalf("%s does not end", p.site)
	}
	return p.err
}

// stop stops the process as a supervisor does, and fails unless it ends well.
func (p *process) stop() {
	p.t.Helper()
	p.terminate()
	if err := p.wait(); err != nil {
		p.t.Errorf("%s ended by %v", p.site, err)
	}
}

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

// refuses reports whether nobody listens at a process's address any more.
func (p *process) refuses() bool {
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.site, "http://"))
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
	p := launch(t, o.args()...)
	arrived, pass := o.hold()
	signedIn := make(chan int, 1)
	go func() { signedIn <- post(t.Context(), newBrowser(t), p.site+"/sign-in", traderForm) }()
	<-arrived
	p.terminate()
	until(t, "no more listening", p.refuses)
	select {
	case status := <-signedIn:
		t.Fatalf("the request under way was answered %d too early", status)
	default:
	}
	pass()
	if got := <-signedIn; got != http.StatusSeeOther {
		t.Errorf("the request under way was answered %d", got)
	}
	if err := p.wait(); err != nil {
		t.Errorf("it ended by %v", err)
	}
}

// A stop ends streams, which would never be finished, and does not count as one that took too long.
func TestStopEndsStreams(t *testing.T) {
	t.Parallel()
	o := startOffice(t, 0)
	p := launch(t, o.args()...)
	browser := newBrowser(t)
	if got := post(t.Context(), browser, p.site+"/sign-in", traderForm); got != http.StatusSeeOther {
		t.Fatalf("the sign-in is answered %d", got)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.site+"/api/frontoffice/stream", nil)
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
	p.terminate()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Errorf("the stream ended by %v", err)
	}
	if err := p.wait(); err != nil {
		t.Errorf("it ended by %v", err)
	}
}

func readFull(r io.Reader, b []byte) string {
	n, _ := io.ReadFull(r, b)
	return string(b[:n])
}

// A second signal ends the process at once, whatever is under way.
func TestSecondSignal(t *testing.T) {
	t.Parallel()
	o := startOffice(t, 0)
	p := launch(t, o.args()...)
	arrived, pass := o.hold()
	defer pass()
	go func() { _ = post(t.Context(), newBrowser(t), p.site+"/sign-in", traderForm) }()
	<-arrived
	p.terminate()
	until(t, "no more listening", p.refuses)
	p.terminate()
	err := p.wait()
	if ended := p.cmd.ProcessState.Sys().(syscall.WaitStatus); !ended.Signaled() {
		t.Errorf("it ended by %v, as if there had been one signal", err)
	}
}

// With -stop-delay a load balancer learns of the stop before anything is refused.
func TestStopDelay(t *testing.T) {
	t.Parallel()
	o := startOffice(t, 0)
	p := launch(t, o.args("-stop-delay", "1h")...)
	browser := newBrowser(t)
	if got := get(t.Context(), browser, p.site+"/readyz"); got != http.StatusOK {
		t.Fatalf("/readyz says %d", got)
	}
	p.terminate()
	until(t, "not ready", func() bool { return get(t.Context(), browser, p.site+"/readyz") == http.StatusServiceUnavailable })
	if got := post(t.Context(), browser, p.site+"/sign-in", traderForm); got != http.StatusSeeOther {
		t.Errorf("a request within the delay is answered %d", got)
	}
}
