package web_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/a-h/templ"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/vault"
	"b2trader.identity.auth/web"
)

const (
	origin  = "https://app.example"
	machine = "machine@example.com"
)

// site is a whole site: the production handler tree, and behind it an
// IdentityServer in memory, so that time can be virtual.
type site struct {
	t        *testing.T
	config   web.Config
	identity *identitytest.Server
	web      *web.Server
	log      *lockedBuffer
	seen     *secrets
}

func newSite(t *testing.T, change ...func(*web.Config)) *site {
	t.Helper()
	return newSiteBehind(t, identitytest.Config{}, change...)
}

// newSiteBehind is newSite with an IdentityServer of its own Config.
func newSiteBehind(t *testing.T, installation identitytest.Config, change ...func(*web.Config)) *site {
	t.Helper()
	provider, err := identitytest.New(installation)
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, identity: provider, log: &lockedBuffer{}, seen: &secrets{base: provider.Transport()}}
	config := web.Config{
		Clients:        []*identity.Client{s.client(identity.ClientSPA), s.client(identity.ClientSPAAdmin)},
		PublicURL:      origin,
		FrontOfficeURL: "http://127.0.0.1/frontoffice",
		BackOfficeURL:  "http://127.0.0.1/backoffice",
		APITransport:   s.seen,
		Pages:          testPages(),
		OnSignIn:       keepExchanges,
		SignInAside:    templ.Raw(`<p>trader@example.com, shown-on-purpose</p>`),

		SecondFactorAside: templ.Raw(`<p>code-shown-on-purpose</p>`),
		Logger:            slog.New(slog.NewJSONHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, c := range change {
		c(&config)
	}
	s.config = config
	s.open()
	t.Cleanup(s.checkLog)
	return s
}

// testPages are the pages of a host application: /flow shows the exchanges of the
// sign-in, /try calls the FrontOffice API, and /office is for administrators.
func testPages() []web.Page {
	flow := func(w http.ResponseWriter, _ *http.Request, s *web.Session) error {
		var exchanges []string
		s.Get("exchanges", &exchanges)
		return s.Render(w, web.Content{Title: "Flow", Body: templ.Raw(templ.EscapeString(strings.Join(exchanges, "; ")))})
	}
	try := func(w http.ResponseWriter, _ *http.Request, s *web.Session) error {
		resp, err := s.HTTPClient().Get("http://127.0.0.1/frontoffice/api/v3/account")
		if err != nil {
			return err
		}
		_ = resp.Body.Close()
		return s.Render(w, web.Content{Title: "Try", Body: templ.Raw(fmt.Sprint(resp.StatusCode, " ", http.StatusText(resp.StatusCode)))})
	}
	return []web.Page{
		{Path: "/flow", Name: "Flow", Get: flow},
		{Path: "/try", Name: "Try", Get: flow, Post: try},
		{Path: "/office", Name: "Office", AdministratorsOnly: true, Get: flow, Post: try},
	}
}

// keepExchanges keeps the exchanges of a sign-in for /flow.
func keepExchanges(s *web.Session, exchanges []tokenapi.Exchange) {
	var lines []string
	for _, e := range exchanges {
		lines = append(lines, fmt.Sprint(e.Method, " ", strings.TrimPrefix(e.URL, "http://127.0.0.1"), " ", e.Parameters))
	}
	if err := s.Put("exchanges", lines); err != nil {
		panic(err)
	}
}

// open starts the site's process.
func (s *site) open() {
	s.t.Helper()
	var err error
	if s.web, err = web.New(s.config); err != nil {
		s.t.Fatal(err)
	}
	opened := s.web
	s.t.Cleanup(func() {
		if err := opened.Close(s.t.Context()); err != nil && s.t.Context().Err() == nil {
			s.t.Error(err)
		}
	})
}

// replica is another process of the same site. The site must have a store.
func (s *site) replica() *site {
	s.t.Helper()
	other := *s
	other.open()
	synctest.Wait()
	return &other
}

// shared gives a site a store and keys that its replicas share.
func shared(c *web.Config) {
	c.Store, c.Keys = memstore.New(), []vault.Key{vault.NewKey("shared")}
}

func (s *site) client(id string) *identity.Client {
	s.t.Helper()
	config := identity.Config{URL: "http://127.0.0.1", ClientID: id, HTTP: tokenapi.HTTP{Transport: web.TraceTransport(s.seen), Observe: web.Observe}}
	if id != identity.ClientSPA {
		config.ClientSecret = tokenapi.NewSecret(id + "-secret")
	}
	c, err := identity.New(config)
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// checkLog fails if a secret of the whole test is in the log (req 123), or an
// event that the table of events lacks.
func (s *site) checkLog() {
	s.t.Helper()
	log := s.log.String()
	for name, value := range s.seen.all() {
		if strings.Contains(log, value) {
			s.t.Errorf("the log contains a %s", name)
		}
	}
	events := web.Events()
	for line := range strings.Lines(log) {
		var fields struct{ Msg string }
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			s.t.Fatal(err)
		}
		if _, known := events[fields.Msg]; !known && !strings.Contains(fields.Msg, ": ") {
			s.t.Errorf("the log has %q, which is not in the table of events", fields.Msg)
		}
	}
}

// browser keeps cookies and checks each answer.
type browser struct {
	site   *site
	jar    http.CookieJar
	header http.Header // sent with each request
}

func (s *site) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return &browser{site: s, jar: jar, header: http.Header{"Sec-Fetch-Site": {"same-origin"}, "Accept": {"text/html"}}}
}

// at is the same browser, whose next requests another process gets.
func (b *browser) at(s *site) *browser { return &browser{site: s, jar: b.jar, header: b.header} }

// answer is what came back.
type answer struct {
	t      *testing.T
	status int
	header http.Header
	body   string
}

func (a *answer) doc() *goquery.Document {
	a.t.Helper()
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(a.body))
	if err != nil {
		a.t.Fatal(err)
	}
	return doc
}

// leadsTo fails unless a is a 303 to path.
func (a *answer) leadsTo(path string) *answer {
	a.t.Helper()
	if got := a.header.Get("Location"); a.status != http.StatusSeeOther || got != path {
		a.t.Fatalf("%d to %q, want 303 to %q; %s", a.status, got, path, a.text())
	}
	return a
}

// is fails unless a has the status and its page all the words.
func (a *answer) is(status int, words ...string) *answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("status %d, want %d: %s", a.status, status, a.text())
	}
	for _, w := range words {
		if !strings.Contains(a.body, w) {
			a.t.Errorf("page lacks %q: %s", w, a.text())
		}
	}
	return a
}

func (a *answer) text() string {
	return strings.Join(strings.Fields(a.doc().Find("main").Text()), " ")
}

func (b *browser) get(path string) *answer {
	b.site.t.Helper()
	return b.send(b.request(http.MethodGet, path, nil))
}

func (b *browser) post(path string, form ...string) *answer {
	b.site.t.Helper()
	values := url.Values{}
	for i := 0; i < len(form); i += 2 {
		values.Set(form[i], form[i+1])
		if form[i] == "password" || form[i] == "code" {
			b.site.seen.add("typed "+form[i], form[i+1])
		}
	}
	r := b.request(http.MethodPost, path, strings.NewReader(values.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.send(r)
}

func (b *browser) request(method, path string, body io.Reader) *http.Request {
	r := httptest.NewRequestWithContext(b.site.t.Context(), method, origin+path, body)
	r.URL.Scheme, r.URL.Host = "", "" // as a server sees it
	for name, values := range b.header {
		r.Header[name] = values
	}
	for _, c := range b.jar.Cookies(b.url()) {
		r.AddCookie(c)
	}
	return r
}

func (b *browser) url() *url.URL { return &url.URL{Scheme: "https", Host: "app.example", Path: "/"} }

func (b *browser) send(r *http.Request) *answer {
	b.site.t.Helper()
	w := httptest.NewRecorder()
	b.site.web.ServeHTTP(w, r)
	result := w.Result()
	b.jar.SetCookies(b.url(), result.Cookies())
	for _, c := range result.Cookies() {
		if c.Name == "__Host-b2trader-theme" {
			continue // pages show its value
		}
		b.site.seen.add("session cookie", c.Value)
	}
	a := &answer{t: b.site.t, status: w.Code, header: result.Header, body: w.Body.String()}
	b.check(r, a)
	return a
}

// check is what must hold for every answer there is.
func (b *browser) check(r *http.Request, a *answer) {
	t := b.site.t
	t.Helper()
	// req 92: literals, from the specifications.
	policy := "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
	if strings.HasSuffix(r.URL.Path, ".svg") { // a picture that runs nothing, also when it is opened as a page
		policy = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
	}
	for name, want := range map[string]string{
		"Content-Security-Policy":      policy,
		"X-Content-Type-Options":       "nosniff",
		"Referrer-Policy":              "same-origin",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Strict-Transport-Security":    "max-age=63072000",
	} {
		if got := a.header.Get(name); got != want {
			t.Errorf("%s %s: %s is %q", r.Method, r.URL.Path, name, got)
		}
	}
	if !strings.HasPrefix(r.URL.Path, "/static/") && a.header.Get("Cache-Control") != "no-store" { // req 93
		t.Errorf("%s %s: Cache-Control is %q", r.Method, r.URL.Path, a.header.Get("Cache-Control"))
	}
	head := fmt.Sprint(a.header)
	for name, value := range b.site.seen.all() { // req 66, 96
		if strings.Contains(a.body, value) || name != "session cookie" && strings.Contains(head, value) {
			t.Errorf("%s %s: a %s reaches the browser", r.Method, r.URL.Path, name)
		}
	}
}

// session is the value of the session cookie.
func (b *browser) session() string {
	for _, c := range b.jar.Cookies(b.url()) {
		if c.Name == "__Host-b2trader-session" {
			return c.Value
		}
	}
	return ""
}

// setSession gives the browser a session cookie, as a thief or an old tab has it.
func (b *browser) setSession(value string) {
	b.jar.SetCookies(b.url(), []*http.Cookie{{Name: "__Host-b2trader-session", Value: value, Secure: true, Path: "/"}})
}

// signIn signs in with the password that the sample user has.
func (b *browser) signIn(user, client string, more ...string) *answer {
	b.site.t.Helper()
	return b.post("/sign-in", append([]string{"email", user + "@example.com", "password", user + "-password", "client", client}, more...)...)
}

// secrets is a transport that remembers every secret that passes.
type secrets struct {
	base   http.RoundTripper
	mu     sync.Mutex
	values map[string]string // value to what it is
}

// RoundTrip implements http.RoundTripper.
func (s *secrets) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := s.base.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	var fields map[string]any
	if strings.HasSuffix(r.URL.Path, "/connect/token") && json.Unmarshal(body, &fields) == nil {
		for _, name := range []string{"access_token", "refresh_token", "id_token"} {
			if value, ok := fields[name].(string); ok {
				s.add(name, value)
			}
		}
	}
	if to, err := resp.Location(); err == nil {
		s.add("code", to.Query().Get("code"))
	}
	s.add("verifier", r.URL.Query().Get("code_verifier"))
	s.add("state", r.URL.Query().Get("state"))
	s.add("nonce", r.URL.Query().Get("nonce"))
	for _, c := range append(resp.Cookies(), r.Cookies()...) {
		s.add("IdentityServer cookie", c.Value)
	}
	if header := r.Header.Get("Authorization"); header != "" {
		s.add("Authorization", strings.TrimPrefix(header, "Bearer "))
	}
	return resp, nil
}

func (s *secrets) add(name, value string) {
	if len(value) < 6 { // too short to be found by search
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.values == nil {
		s.values = map[string]string{}
	}
	s.values[value] = name
}

// all yields what each secret is, and the secret.
func (s *secrets) all() func(yield func(string, string) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var pairs [][2]string
	for value, name := range s.values {
		pairs = append(pairs, [2]string{name, value})
	}
	return func(yield func(string, string) bool) {
		for _, p := range pairs {
			if !yield(p[0], p[1]) {
				return
			}
		}
	}
}

// pass lets virtual time pass, and what that starts come to rest.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// lockedBuffer is a buffer that several goroutines write to.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
