package web_test

import (
	"bufio"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/vault"
	"b2trader.identity.auth/web"
)

// apiSite is a site on a socket, with an IdentityServer and an API on sockets
// of their own behind it.
type apiSite struct {
	t        testing.TB
	identity *identitytest.Server
	web      *web.Server
	server   *httptest.Server
	upstream *upstream
	clock    *movingClock
	seen     *secrets
	log      *lockedBuffer
	served   chan string // the paths of the requests that are over, a hundred at most
}

// movingClock is the real clock, moved ahead at will.
type movingClock struct{ ahead atomic.Int64 }

func (c *movingClock) Now() time.Time       { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *movingClock) Pass(d time.Duration) { c.ahead.Add(int64(d)) }

// upstream is the API: it remembers what came, and answers as a test says.
type upstream struct {
	server *httptest.Server
	answer atomic.Pointer[http.HandlerFunc]

	mu       sync.Mutex
	requests []*http.Request // their bodies are read
	bodies   []string
}

func newUpstream(t testing.TB) *upstream {
	u := &upstream{}
	u.will(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "from the API") })
	u.server = httptest.NewServer(u)
	t.Cleanup(func() { u.server.CloseClientConnections(); u.server.Close() })
	return u
}

func (u *upstream) will(h http.HandlerFunc) { u.answer.Store(&h) }

// ServeHTTP implements http.Handler.
func (u *upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body []byte
	if r.Header.Get("Upgrade") == "" {
		body, _ = io.ReadAll(r.Body)
	}
	u.mu.Lock()
	u.requests, u.bodies = append(u.requests, r), append(u.bodies, string(body))
	u.mu.Unlock()
	(*u.answer.Load())(w, r)
}

func (u *upstream) count() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.requests)
}

// last returns the last request and its body.
func (u *upstream) last(t testing.TB) (*http.Request, string) {
	t.Helper()
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.requests) == 0 {
		t.Fatal("nothing came to the API")
	}
	return u.requests[len(u.requests)-1], u.bodies[len(u.bodies)-1]
}

func newAPISite(t testing.TB, change ...func(*web.Config)) *apiSite {
	t.Helper()
	return newImpatientSite(t, 0, 0, change...)
}

// newImpatientSite has a server that gives reading the body of a request, and
// writing the answer to an API call, so long each. A sign-in may take longer.
func newImpatientSite(t testing.TB, read, write time.Duration, change ...func(*web.Config)) *apiSite {
	t.Helper()
	s := &apiSite{t: t, clock: &movingClock{}, upstream: newUpstream(t), log: &lockedBuffer{}}
	s.identity = identitytest.Start(t, identitytest.Config{Now: s.clock.Now})
	s.seen = &secrets{base: http.DefaultTransport}
	client, err := identity.New(identity.Config{
		URL: s.identity.URL(), ClientID: identity.ClientSPA, HTTP: tokenapi.HTTP{Transport: s.seen, Now: s.clock.Now},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.served = make(chan string, 100)
	s.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			select {
			case s.served <- r.URL.Path:
			default:
			}
		}()
		if write > 0 && (strings.HasPrefix(r.URL.Path, "/api/") || strings.HasPrefix(r.URL.Path, "/ws/")) {
			_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(write)) // as http.Server.WriteTimeout
		}
		s.web.ServeHTTP(w, r)
	}))
	s.server.Config.ErrorLog, s.server.Config.ReadTimeout = quiet, read
	s.server.Config.ReadHeaderTimeout, s.server.Config.IdleTimeout = time.Minute, time.Minute
	config := web.Config{
		Clients:        []*identity.Client{client},
		PublicURL:      "http://" + s.server.Listener.Addr().String(),
		FrontOfficeURL: s.upstream.server.URL + "/frontoffice",
		Logger:         slog.New(slog.NewJSONHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Now:            s.clock.Now,
		// A store with a clock of its own would show that Pass moves this one.
		Store: struct{ store.Store }{memstore.New()},
		Keys:  []vault.Key{vault.NewKey("site")},
	}
	for _, c := range change {
		c(&config)
	}
	if s.web, err = web.New(config); err != nil {
		t.Fatal(err)
	}
	s.server.Start()
	t.Cleanup(func() {
		s.web.EndStreams()
		s.server.Close()
		if err := s.web.Close(t.Context()); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
		for name, value := range s.seen.all() { // req 123
			if strings.Contains(s.log.String(), value) {
				t.Errorf("the log contains a %s", name)
			}
		}
	})
	return s
}

// quiet is the log of servers whose connections are cut on purpose.
var quiet = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)

// app is a script in a browser that is signed in.
type app struct {
	*apiSite
	client *http.Client
}

// visitor is a script in a browser that is not.
func (s *apiSite) visitor() *app {
	s.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	transport := &http.Transport{DisableCompression: true}
	s.t.Cleanup(transport.CloseIdleConnections)
	return &app{s, &http.Client{
		Jar: jar, Transport: transport, Timeout: time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

func (s *apiSite) signedIn() *app {
	s.t.Helper()
	a := s.visitor()
	form := url.Values{"email": {"trader@example.com"}, "password": {"trader-password"}, "client": {"spa"}}
	resp, err := a.client.PostForm(s.server.URL+"/sign-in", form)
	if err != nil {
		s.t.Fatal(err)
	}
	_ = resp.Body.Close()
	if got := resp.Header.Get("Location"); got != "/account" {
		s.t.Fatalf("signing in leads to %q", got)
	}
	return a
}

func (a *app) signOut() {
	a.t.Helper()
	resp, err := a.client.PostForm(a.server.URL+"/sign-out", nil)
	if err != nil || resp.StatusCode != http.StatusSeeOther {
		a.t.Fatal(resp, err)
	}
	_ = resp.Body.Close()
}

// cookie is the Cookie header that the browser sends.
func (a *app) cookie() string {
	u, _ := url.Parse(a.server.URL)
	var pairs []string
	for _, c := range a.client.Jar.Cookies(u) {
		pairs = append(pairs, c.Name+"="+c.Value)
	}
	return strings.Join(pairs, "; ")
}

// request is one that a script makes; header are pairs, an empty value drops.
func (a *app) request(method, path, body string, header ...string) *http.Request {
	a.t.Helper()
	r, err := http.NewRequestWithContext(a.t.Context(), method, a.server.URL+path, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	r.Header.Set("X-Requested-With", "fetch")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Sec-Fetch-Mode", "cors")
	for i := 0; i < len(header); i += 2 {
		if r.Header.Del(header[i]); header[i+1] != "" {
			r.Header.Set(header[i], header[i+1])
		}
	}
	return r
}

// reply is an answer, read to its end.
type reply struct {
	*http.Response
	body string
}

func (a *app) do(r *http.Request) reply {
	a.t.Helper()
	resp, err := a.client.Do(r)
	if err != nil {
		a.t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	_ = resp.Body.Close()
	a.clean(resp.Header, string(body))
	return reply{resp, string(body)}
}

// clean fails if a token is in an answer. req 96
func (a *app) clean(header http.Header, body string) {
	a.t.Helper()
	for name, value := range a.seen.all() {
		if strings.Contains(body, value) {
			a.t.Errorf("a %s in a body", name)
		}
		for _, values := range header {
			if strings.Contains(strings.Join(values, " "), value) {
				a.t.Errorf("a %s in a header", name)
			}
		}
	}
}

func (a *app) send(method, path, body string, header ...string) reply {
	a.t.Helper()
	return a.do(a.request(method, path, body, header...))
}

func (a *app) get(path string, header ...string) reply {
	a.t.Helper()
	return a.send(http.MethodGet, path, "", header...)
}

// refused fails unless the reply is the JSON of an error, not to be kept.
func (a *app) refused(r reply, status int, code string) {
	a.t.Helper()
	var problem struct {
		Error, Message string
		RequestID      string `json:"request_id"`
	}
	if r.StatusCode != status || json.Unmarshal([]byte(r.body), &problem) != nil {
		a.t.Fatalf("%d %s, want %d %s", r.StatusCode, r.body, status, code)
	}
	if problem.Error != code || problem.Message == "" || problem.RequestID != r.Header.Get("X-Request-Id") || problem.RequestID == "" {
		a.t.Errorf("%+v, want %s and the request %s", problem, code, r.Header.Get("X-Request-Id"))
	}
	if got := r.Header.Values("Cache-Control"); !slices.Equal(got, []string{"no-store"}) || r.Header.Get("Location") != "" {
		a.t.Errorf("Cache-Control %q, Location %q", got, r.Header.Get("Location"))
	}
}

// raw sends bytes that no client would send, and returns the status lines of what comes back.
func (a *app) raw(request string) []string {
	a.t.Helper()
	conn, err := net.Dial("tcp", a.server.Listener.Addr().String())
	if err != nil {
		a.t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(conn, request); err != nil {
		a.t.Fatal(err)
	}
	var lines []string
	reader := bufio.NewReader(conn)
	for {
		resp, err := http.ReadResponse(reader, nil)
		if err != nil {
			return lines // the server has closed it, as each request here asks for
		}
		body, _ := io.ReadAll(resp.Body)
		a.clean(resp.Header, string(body))
		lines = append(lines, resp.Status)
	}
}

// head is the start of a raw request of this app.
func (a *app) head(line string) string {
	return line + "\r\nHost: " + a.server.Listener.Addr().String() + "\r\nX-Requested-With: raw\r\nCookie: " + a.cookie() + "\r\nConnection: close\r\n"
}

func TestProxiedCall(t *testing.T) {
	s := newAPISite(t)
	a := s.signedIn()
	s.upstream.will(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"id":7}`)
	})
	got := a.send(http.MethodPost, "/api/frontoffice/v3/orders?side=buy&note=a%20b", `{"amount":"1"}`, "Content-Type", "application/json")
	if got.StatusCode != http.StatusCreated || got.body != `{"id":7}` || got.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%d %s %s", got.StatusCode, got.Header.Get("Content-Type"), got.body)
	}
	r, body := s.upstream.last(t)
	if r.Method != http.MethodPost || r.RequestURI != "/frontoffice/api/v3/orders?side=buy&note=a%20b" || body != `{"amount":"1"}` {
		t.Errorf("the API got %s %s %s", r.Method, r.RequestURI, body)
	}
	if !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer eyJ") {
		t.Error("without a bearer")
	}
	a.refused(a.get("/api/backoffice/v1/users"), http.StatusNotFound, "not_found") // it is not configured
	a.refused(a.get("/api/other/x"), http.StatusNotFound, "not_found")
}

// req 102: without a session a call gets 401, and a navigation the sign-in page.
func TestCallWithoutSession(t *testing.T) {
	s := newAPISite(t)
	visitor, a := s.visitor(), s.signedIn()
	old := a.cookie()
	a.signOut()
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
		visitor.refused(visitor.send(method, "/api/frontoffice/v3/x", ""), http.StatusUnauthorized, "no_session")
		visitor.refused(visitor.send(method, "/api/frontoffice/v3/x", "", "Cookie", old), http.StatusUnauthorized, "no_session")
	}
	navigation := []string{"X-Requested-With", "", "Sec-Fetch-Mode", "navigate", "Accept", "text/html"}
	got := visitor.get("/api/frontoffice/v3/x?a=b", navigation...)
	if want := "/sign-in?return_to=%2Fapi%2Ffrontoffice%2Fv3%2Fx%3Fa%3Db"; got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != want {
		t.Errorf("a navigation gives %d to %s", got.StatusCode, got.Header.Get("Location"))
	}
	a = s.signedIn()
	if got := a.get("/api/frontoffice/v3/x", navigation...); got.StatusCode != http.StatusForbidden || !strings.Contains(got.body, "<html") {
		t.Errorf("a navigation with a session gives %d %s", got.StatusCode, got.body)
	}
	if n := s.upstream.count(); n != 0 {
		t.Errorf("%d calls reached the API", n)
	}
}

// req 74: calls are use of the session, unless they say that they are not.
func TestCallsAreUse(t *testing.T) {
	s := newAPISite(t)
	a := s.signedIn()
	for range 3 {
		s.clock.Pass(14 * time.Minute)
		if got := a.get("/api/frontoffice/v3/x"); got.StatusCode != http.StatusOK {
			t.Fatal(got.StatusCode, got.body)
		}
	}
	for range 2 {
		s.clock.Pass(7 * time.Minute)
		if got := a.get("/api/frontoffice/v3/x", "X-Requested-With", "background"); got.StatusCode != http.StatusOK {
			t.Fatal(got.StatusCode, got.body)
		}
	}
	s.clock.Pass(time.Minute)
	a.refused(a.get("/api/frontoffice/v3/x"), http.StatusUnauthorized, "no_session")
}

// A session whose tokens are gone is over, and is not asked about again.
func TestCallOfDeadSession(t *testing.T) {
	s := newAPISite(t)
	a := s.signedIn()
	s.identity.RevokeTokens("trader@example.com")
	s.identity.EndSessions("trader@example.com") // which could resume
	s.clock.Pass(time.Minute)
	a.refused(a.get("/api/frontoffice/v3/x"), http.StatusUnauthorized, "no_session")
	asked := s.identity.Grants("refresh_token")
	a.refused(a.get("/api/frontoffice/v3/x"), http.StatusUnauthorized, "no_session")
	if n := s.identity.Grants("refresh_token"); asked != 1 || n != 1 {
		t.Errorf("%d, then %d renewals were tried, want 1", asked, n)
	}
	if n := strings.Count(s.log.String(), `"msg":"session over"`); n != 1 {
		t.Errorf("the session ended %d times, want once", n)
	}
	if n := s.upstream.count(); n != 0 {
		t.Errorf("%d calls reached the API", n)
	}
}

// req 55: no token just now is 503, and the session lives on.
func TestCallWithoutToken(t *testing.T) {
	s := newAPISite(t)
	a := s.signedIn()
	s.identity.Inject(identitytest.EndpointToken, identitytest.Fault{Status: http.StatusInternalServerError, Times: -1})
	s.clock.Pass(time.Minute)
	got := a.get("/api/frontoffice/v3/x")
	a.refused(got, http.StatusServiceUnavailable, "unavailable")
	if got.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	s.identity.ClearFaults()
	s.clock.Pass(time.Minute)
	if got := a.get("/api/frontoffice/v3/x"); got.StatusCode != http.StatusOK {
		t.Error(got.StatusCode, got.body)
	}
}
