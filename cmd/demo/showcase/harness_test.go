package showcase_test

import (
	"bytes"
	"cmp"
	"context"
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
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/oauth2"

	"b2trader.identity.auth/cmd/demo/showcase"
	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/store"
	"b2trader.identity.auth/identity/store/memstore"
	"b2trader.identity.auth/identity/store/records"
	"b2trader.identity.auth/identity/tokenapi"
	"b2trader.identity.auth/identity/vault"
	"b2trader.identity.auth/templates/pagetest"
	"b2trader.identity.auth/web"
)

const (
	origin  = "https://app.example"
	machine = "machine@example.com"
)

// office is a platform: an IdentityServer with an account that signs in as
// machines do.
type office struct {
	*identitytest.Server
	password string
}

// config is what a process of the site is opened with.
type config struct {
	showcase.Config
	Store      store.Store
	Keys       []vault.Key
	Registerer prometheus.Registerer
}

// site is a site with the showcase. Two servers in memory are behind it, so that
// time can be virtual: the IdentityServer at 127.0.0.1, the office at 127.0.0.2.
type site struct {
	t        *testing.T
	config   config
	identity *identitytest.Server
	office   *office
	web      *web.Server
	showcase *showcase.Showcase
	log      *lockedBuffer
}

// newSite returns a site with three platforms. The second, plain, offers nothing
// that is optional. The third, robot, is an account at the IdentityServer, whose
// tokens are signed out there.
func newSite(t *testing.T, change ...func(*config)) (*site, *office) {
	t.Helper()
	s := &site{t: t, log: &lockedBuffer{}, identity: newProvider(t), office: &office{Server: newProvider(t), password: "machine-password"}}
	store := memstore.New()
	t.Cleanup(func() { _ = store.Close() })
	s.config = config{Store: store, Keys: []vault.Key{vault.NewKey("shared")}, Config: showcase.Config{
		FrontOfficeURL: "http://127.0.0.1/frontoffice", BackOfficeURL: "http://127.0.0.1/backoffice",
		APITransport: transportFunc(s.roundTrip),
		Logger:       slog.New(slog.NewJSONHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}}
	s.config.Platforms = []showcase.Platform{s.platform(), s.platform()}
	s.config.Platforms = append(s.config.Platforms, s.robot())
	plain := &s.config.Platforms[1]
	plain.ID, plain.Name, plain.Call, plain.Expire, plain.Fail = "plain", "Plain", showcase.Call{}, nil, nil
	for _, c := range change {
		c(&s.config)
	}
	s.open()
	return s, s.office
}

func newProvider(t *testing.T) *identitytest.Server {
	t.Helper()
	provider, err := identitytest.New(identitytest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return provider
}

func (s *site) roundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host == "127.0.0.2" {
		return s.office.Transport().RoundTrip(r)
	}
	return s.identity.Transport().RoundTrip(r)
}

type transportFunc func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f transportFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func (s *site) client(url, id string) *identity.Client {
	s.t.Helper()
	config := identity.Config{URL: url, ClientID: id, HTTP: tokenapi.HTTP{Transport: transportFunc(s.roundTrip), Observe: web.Observe}}
	if id != identity.ClientSPA {
		config.ClientSecret = tokenapi.NewSecret(id + "-secret")
	}
	c, err := identity.New(config)
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// platform returns the office as a platform, whose tokens can be signed out.
func (s *site) platform() showcase.Platform {
	s.t.Helper()
	client := s.client("http://127.0.0.2", identity.ClientCoreIB)
	keeper, err := client.Keeper(tokenapi.Account{
		Login: machine, Password: func(context.Context) (tokenapi.Secret, error) { return tokenapi.NewSecret(s.office.password), nil },
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return showcase.Platform{
		ID: "office", Name: "The Office", About: "For what is done in an office.", Account: machine,
		Refresher: keeper,
		Call:      showcase.Call{URL: "http://127.0.0.2/backoffice/api/v1/users"},
		Expire:    func() { s.office.RotateKeys(); s.office.DropOldKeys() },
		Fail: func() func() {
			s.office.Inject(identitytest.EndpointToken, identitytest.Fault{Status: 500, Times: -1})
			return s.office.ClearFaults
		},
	}
}

// robot returns a machine account of the IdentityServer as a platform.
func (s *site) robot() showcase.Platform {
	client := s.client("http://127.0.0.1", identity.ClientCoreIB)
	return showcase.Platform{
		ID: "robot", Name: "Robot", Account: machine, Refresher: guest{client},
		SignOut: func(ctx context.Context, token *oauth2.Token) error {
			return client.SignOut(ctx, token.AccessToken, token.RefreshToken)
		},
	}
}

// A guest signs in by its password, but not again if its refresh token is refused.
type guest struct{ *identity.Client }

// Refresh implements vault.Refresher.
func (g guest) Refresh(ctx context.Context, old *oauth2.Token) (*oauth2.Token, error) {
	if old.RefreshToken == "" {
		return g.MachineToMachineSignIn(ctx, machine, "machine-password")
	}
	return g.Client.Refresh(ctx, old)
}

// open starts the site's process.
func (s *site) open() {
	s.t.Helper()
	metrics := web.NewMetrics()
	observed := metrics.Store(s.config.Store)
	cache, err := records.Open(records.Config{Store: observed, Keys: s.config.Keys, Logger: s.config.Logger})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(cache.Close)
	s.config.Records, s.config.Metrics = cache, metrics
	pages, err := showcase.New(s.config.Config)
	if err != nil {
		s.t.Fatal(err)
	}
	c := web.Config{
		Clients:   []*identity.Client{s.client("http://127.0.0.1", identity.ClientSPA), s.client("http://127.0.0.1", identity.ClientSPAAdmin)},
		PublicURL: origin, Store: observed, Keys: s.config.Keys, Logger: s.config.Logger,
		Records: cache, Metrics: metrics, Registerer: s.config.Registerer,
	}
	pages.AddTo(&c)
	server, err := web.New(c)
	if err != nil {
		s.t.Fatal(err)
	}
	s.web, s.showcase = server, pages
	s.t.Cleanup(func() { closeBoth(s.t, server, pages) })
}

func closeBoth(t *testing.T, server *web.Server, pages *showcase.Showcase) {
	t.Helper()
	if err := server.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Error(err)
	}
	if err := pages.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Error(err)
	}
}

// replica returns another process of the same site.
func (s *site) replica() *site {
	s.t.Helper()
	other := *s
	other.open()
	synctest.Wait()
	return &other
}

// browser keeps cookies.
type browser struct {
	site *site
	jar  http.CookieJar
	from string // Sec-Fetch-Site; empty: same-origin
}

func (s *site) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return &browser{site: s, jar: jar}
}

// at returns the same browser, whose next requests go to another process.
func (b *browser) at(s *site) *browser { return &browser{site: s, jar: b.jar} }

// administrator returns a browser that may see the platforms.
func (s *site) administrator() *browser {
	s.t.Helper()
	b := s.browser()
	b.signIn("admin", "spa_admin").leadsTo("/account")
	return b
}

func (b *browser) signIn(user, client string) *answer {
	b.site.t.Helper()
	return b.post("/sign-in", "email", user+"@example.com", "password", user+"-password", "client", client)
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
	}
	r := b.request(http.MethodPost, path, strings.NewReader(values.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.send(r)
}

func (b *browser) request(method, path string, body io.Reader) *http.Request {
	r := httptest.NewRequestWithContext(b.site.t.Context(), method, origin+path, body)
	r.URL.Scheme, r.URL.Host = "", "" // as a server sees it
	r.Header.Set("Sec-Fetch-Site", cmp.Or(b.from, "same-origin"))
	r.Header.Set("Accept", "text/html")
	for _, c := range b.jar.Cookies(&url.URL{Scheme: "https", Host: "app.example", Path: "/"}) {
		r.AddCookie(c)
	}
	return r
}

func (b *browser) send(r *http.Request) *answer {
	b.site.t.Helper()
	w := httptest.NewRecorder()
	b.site.web.ServeHTTP(w, r)
	result := w.Result()
	b.jar.SetCookies(&url.URL{Scheme: "https", Host: "app.example", Path: "/"}, result.Cookies())
	if strings.Contains(w.Body.String(), "eyJhbGciOi") { // req 96
		b.site.t.Errorf("%s %s: a token reaches the browser", r.Method, r.URL.Path)
	}
	return &answer{t: b.site.t, status: w.Code, header: result.Header, body: w.Body.String()}
}

// press presses a button of a platform's card.
func (b *browser) press(platform, action string) *answer {
	b.site.t.Helper()
	return b.post("/platforms", "platform", platform, "action", action)
}

// done presses a button, and returns the page that this leads to.
func (b *browser) done(platform, action string) *answer {
	b.site.t.Helper()
	b.press(platform, action).leadsTo("/platforms?of=" + platform)
	return b.get("/platforms?of=" + platform).is(200)
}

// answer is the answer to one request.
type answer struct {
	t      *testing.T
	status int
	header http.Header
	body   string
}

func (a *answer) doc() *goquery.Document {
	a.t.Helper()
	return pagetest.Document(a.t, a.body)
}

func (a *answer) text() string { return pagetest.Words(a.doc().Find("main")) }

// leadsTo fails unless a is a 303 to path.
func (a *answer) leadsTo(path string) {
	a.t.Helper()
	if got := a.header.Get("Location"); a.status != http.StatusSeeOther || got != path {
		a.t.Fatalf("%d to %q, want 303 to %q; %s", a.status, got, path, a.text())
	}
}

// is fails unless a has the status and its page all the words.
func (a *answer) is(status int, words ...string) *answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("status %d, want %d: %s", a.status, status, a.text())
	}
	for _, w := range words {
		if !strings.Contains(a.body, w) {
			a.t.Errorf("the page lacks %q: %s", w, a.text())
		}
	}
	return a
}

// card returns the text of a platform's card and of the panel after it.
func (a *answer) card(platform string) string {
	a.t.Helper()
	card := a.doc().Find(`.platform:has(input[value="` + platform + `"])`)
	if card.Length() != 1 {
		a.t.Fatalf("%d cards of %s: %s", card.Length(), platform, a.text())
	}
	return pagetest.Words(card.AddSelection(card.Next().Filter(".platform-answer")))
}

// says fails unless the card of the platform has all the words.
func (a *answer) says(platform string, words ...string) *answer {
	a.t.Helper()
	card := a.card(platform)
	for _, w := range words {
		if !strings.Contains(card, w) {
			a.t.Errorf("the card lacks %q: %s", w, card)
		}
	}
	return a
}

// youngToken is the age from which an API's refusal of a token causes a renewal.
const youngToken = 5 * time.Second

// pass lets virtual time pass, and waits for what that starts.
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

// officeClient returns a client of the office.
func officeClient(t *testing.T, transport http.RoundTripper) *identity.Client {
	t.Helper()
	config := identity.Config{URL: "http://127.0.0.2", ClientID: identity.ClientCoreIB, ClientSecret: tokenapi.NewSecret("core_ib-secret")}
	config.HTTP.Transport = transport
	client, err := identity.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}
