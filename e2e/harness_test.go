package e2e

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/web"
)

// The users. Their passwords look different in every spelling there is.
const (
	trader   = "trader@example.com"
	admin    = "admin@example.com"
	guarded  = "guarded@example.com" // has a second factor
	machine  = "machine@example.com"
	onceCode = "246810-gÜlt/g+einmal"
)

var passwords = map[string]string{
	trader:  `trader's <pass> & "wörd"+%41/=`,
	admin:   `admin's <pass> & "wörd"+%42/=`,
	guarded: `guarded's <pass> & "wörd"+%43/=`,
	machine: `machine's <pass> & "wörd"+%44/=`,
}

func users() []identitytest.User {
	return []identitytest.User{
		{ID: "0a3e7b1c-0000-4000-8000-000000000001", Email: trader, Password: passwords[trader], Nickname: "Tracy Trader"},
		{ID: "0a3e7b1c-0000-4000-8000-000000000002", Email: admin, Password: passwords[admin], Nickname: "Ada Admin", Role: "Admin"},
		{ID: "0a3e7b1c-0000-4000-8000-000000000003", Email: guarded, Password: passwords[guarded], Nickname: "Gary Guarded", SecondFactorCode: onceCode},
		{ID: "0a3e7b1c-0000-4000-8000-000000000004", Email: machine, Password: passwords[machine], Nickname: "Robot"},
	}
}

// clock is the one clock of a test: the site, the clients, the vault and the
// IdentityServer all read it. It runs, and can be moved ahead.
type clock struct{ ahead atomic.Int64 }

func (c *clock) Now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

func (c *clock) advance(d time.Duration) { c.ahead.Add(int64(d)) }

// setup changes what a world is made of; every part may be nil.
type setup struct {
	plain    bool // http on loopback instead of https
	provider func(*identitytest.Config)
	client   func(*identity.Config)
	web      func(*web.Config)
}

// world is a site with everything behind it.
type world struct {
	t        *testing.T
	clock    *clock
	guard    *guard
	provider *provider
	site     *httptest.Server
	web      *web.Server
	log      *logBuffer
	arrived  chan struct{} // gets one value for each request to the site, if there is room
}

// newWorld starts an IdentityServer and a site that offers spa, spa_admin and
// both machines. When the test ends, every answer and the log are searched for secrets.
func newWorld(t *testing.T, s setup) *world {
	t.Helper()
	w := &world{t: t, clock: &clock{}, guard: &guard{}, log: &logBuffer{}, arrived: make(chan struct{}, 64)}
	t.Cleanup(w.search) // the last of all: what is logged while stopping counts
	w.provider = startProvider(t, w.clock, w.guard, s.provider)
	w.site = httptest.NewUnstartedServer(nil)
	config := web.Config{
		Clients:        []*identity.Client{w.client(identity.ClientSPA, s), w.client(identity.ClientSPAAdmin, s)},
		Machine:        []web.MachineIdentity{w.machine(identity.ClientCoreIB, s), w.machine(identity.ClientLK, s)},
		PublicURL:      "https://" + w.site.Listener.Addr().String(),
		FrontOfficeURL: w.provider.URL() + "/frontoffice",
		BackOfficeURL:  w.provider.URL() + "/backoffice",
		Logger:         slog.New(slog.NewJSONHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Now:            w.clock.Now,
	}
	if s.plain {
		config.PublicURL = "http://" + w.site.Listener.Addr().String()
	}
	if s.web != nil {
		s.web(&config)
	}
	var err error
	if w.web, err = web.New(config); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.close)
	w.site.Config.Handler = http.HandlerFunc(w.serve)
	w.site.Config.ErrorLog = slog.NewLogLogger(config.Logger.Handler(), slog.LevelError)
	if s.plain {
		w.site.Start()
	} else {
		w.site.StartTLS()
	}
	t.Cleanup(w.site.Close)
	return w
}

// serve lets a test see that a request has come in, and is otherwise the site.
func (w *world) serve(rw http.ResponseWriter, r *http.Request) {
	select {
	case w.arrived <- struct{}{}:
	default:
	}
	w.web.ServeHTTP(rw, r)
}

func (w *world) client(id string, s setup) *identity.Client {
	w.t.Helper()
	config := identity.Config{URL: w.provider.URL(), ClientID: id, Observe: web.Observe, Now: w.clock.Now}
	if id != identity.ClientSPA {
		config.ClientSecret = identity.NewSecret(id + "-secret")
	}
	if s.client != nil {
		s.client(&config)
	}
	c, err := identity.New(config)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func (w *world) machine(id string, s setup) web.MachineIdentity {
	w.t.Helper()
	return web.MachineIdentity{Client: w.client(id, s), Email: machine, Password: func(context.Context) (identity.Secret, error) {
		return identity.NewSecret(passwords[machine]), nil
	}}
}

func (w *world) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := w.web.Close(ctx); err != nil {
		w.t.Error("close:", err)
	}
}

// search fails if a secret reached a browser or the log. req 96, 123
func (w *world) search() {
	for _, leak := range w.guard.leaks() {
		w.t.Error(leak)
	}
	for _, leak := range w.guard.leaksIn("the log", []byte(w.log.String())) {
		w.t.Error(leak)
	}
}

// url is the site's own URL.
func (w *world) url() *url.URL {
	u, err := url.Parse(w.site.URL)
	if err != nil {
		w.t.Fatal(err)
	}
	return u
}

// wantCount fails unless the endpoint was asked n times.
func (w *world) wantCount(e identitytest.Endpoint, n int) {
	w.t.Helper()
	if got := w.provider.Count(e); got != n {
		w.t.Errorf("%s was asked %d times, want %d", e, got, n)
	}
}

// wantGrants fails unless there were n token requests with the grant.
func (w *world) wantGrants(grant string, n int) {
	w.t.Helper()
	if got := w.provider.Grants(grant); got != n {
		w.t.Errorf("%d token requests with %s, want %d", got, grant, n)
	}
}

// wantResult waits until the log tells of a renewal with that result, which it does after the callers have been told, and fails
// if there are more.
func (w *world) wantResult(result string) {
	w.t.Helper()
	told := func() int { return strings.Count(w.log.String(), `"msg":"token renewal","result":"`+result+`"`) }
	until(w.t, "a renewal that was "+result, func() bool { return told() > 0 })
	if got := told(); got != 1 {
		w.t.Errorf("%d renewals were %s, want 1", got, result)
	}
}

// provider is an IdentityServer with its APIs, on a listener of its own. What
// goes in and out is searched for secrets to look for elsewhere.
type provider struct {
	*identitytest.Server
	guard  *guard
	server *http.Server
	down   atomic.Bool          // every connection is cut
	held   atomic.Pointer[hold] // token requests
	slow   atomic.Pointer[hold] // calls of the slow API

	heldAnswer atomic.Pointer[hold] // answers to token requests
}

func startProvider(t *testing.T, c *clock, g *guard, change func(*identitytest.Config)) *provider {
	t.Helper()
	config := identitytest.Config{Users: users(), Now: c.Now}
	if change != nil {
		change(&config)
	}
	handler, err := identitytest.New(config)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := handler.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &provider{Server: handler, guard: g}
	p.server = &http.Server{Handler: p, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- p.server.Serve(listener) }()
	t.Cleanup(func() {
		_ = p.server.Close() // nothing to save
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return p
}

// ServeHTTP implements http.Handler.
func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if p.down.Load() {
		panic(http.ErrAbortHandler)
	}
	if endless := p.endless(r.URL.Path); endless != nil {
		endless.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	p.guard.learnRequest(r, body)
	p.wait(r, &p.held)
	answer := httptest.NewRecorder()
	p.Server.ServeHTTP(answer, r)
	p.guard.learnResponse(answer.Result(), answer.Body.Bytes())
	p.wait(r, &p.heldAnswer)
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes()) // the client may have gone
}

// stop closes the listener and every connection, as a process that died.
func (p *provider) stop() { _ = p.server.Close() }

// hold keeps the requests to the token endpoint waiting.
type hold struct {
	arrived chan struct{} // gets one value for each request
	gate    chan struct{} // closed by release
	once    sync.Once
}

func (h *hold) release() { h.once.Do(func() { close(h.gate) }) }

// holdToken makes token requests wait, before they are processed, until they are released.
func (p *provider) holdToken() *hold { return newHold(&p.held) }

// holdTokenAnswer makes the answers to token requests, which have been processed, wait until they are released.
func (p *provider) holdTokenAnswer() *hold { return newHold(&p.heldAnswer) }

func newHold(at *atomic.Pointer[hold]) *hold {
	h := &hold{arrived: make(chan struct{}, 64), gate: make(chan struct{})}
	at.Store(h)
	return h
}

func (p *provider) wait(r *http.Request, at *atomic.Pointer[hold]) {
	h := at.Load()
	if h == nil || r.URL.Path != "/identity/connect/token" {
		return
	}
	select {
	case h.arrived <- struct{}{}:
	default:
	}
	select {
	case <-h.gate:
	case <-r.Context().Done():
		panic(http.ErrAbortHandler)
	}
}

// logBuffer collects the log, which many goroutines write.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// append adds what another has collected.
func (l *logBuffer) append(other *logBuffer) { _, _ = l.Write([]byte(other.String())) }

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// until waits for a condition, asking every few milliseconds.
func until(tb testing.TB, what string, condition func() bool) {
	tb.Helper()
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline.C:
			tb.Fatal("waited in vain for " + what)
		}
	}
}

// receive waits for a value, and fails the test if none comes in time.
func receive[T any](t testing.TB, from <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(20 * time.Second):
		t.Fatal("waited in vain for " + what)
		panic("unreachable")
	}
}
