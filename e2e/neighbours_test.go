package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/b2binpay/b2binpaytest"
	"b2trader.identity.auth/identity/b2core/b2coretest"
	"b2trader.identity.auth/identity/traderevolution/traderevolutiontest"
	"b2trader.identity.auth/identity/tradevest/tradevesttest"
)

// overheard is a test server of which every secret that goes in and out becomes known.
type overheard struct {
	apitest.Servable
	guard *guard
}

// ServeHTTP implements http.Handler.
func (o overheard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	o.guard.learnRequest(r, body)
	o.guard.learn("token", r.Header.Get("token")) // as TraderEvolution is sent it
	answer := httptest.NewRecorder()
	o.Servable.ServeHTTP(answer, r)
	for _, document := range [][]byte{body, answer.Body.Bytes()} {
		var fields any
		if json.Unmarshal(document, &fields) == nil {
			o.guard.learnMembers(fields)
		}
	}
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes()) // the client may have gone
}

// tokenMembers are the names that tokens and passwords have in the JSON of the systems.
var tokenMembers = []string{"token", "refreshToken", "accessToken", "access_token", "access", "refresh", "password", "sign"}

// learnMembers finds the secrets in a JSON document, however deep.
func (g *guard) learnMembers(document any) {
	switch d := document.(type) {
	case map[string]any:
		for name, value := range d {
			if text, ok := value.(string); ok && slices.Contains(tokenMembers, name) {
				g.learn(name, text)
			}
			g.learnMembers(value)
		}
	case []any:
		for _, value := range d {
			g.learnMembers(value)
		}
	}
}

// serve runs a test server, if it could be made.
func serve(t *testing.T, g *guard, s apitest.Servable, err error) {
	t.Helper()
	apitest.Serve(t, overheard{s, g}, err)
}

func secretFile(t *testing.T, content string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// startFour runs the four other systems, and returns the file that names them, and what ends the life of their access tokens.
func startFour(t *testing.T, g *guard) (file string, expire func()) {
	t.Helper()
	core, err := b2coretest.New(b2coretest.Config{})
	serve(t, g, core, err)
	office, err := traderevolutiontest.New(traderevolutiontest.Config{})
	serve(t, g, office, err)
	vest, err := tradevesttest.New(tradevesttest.Config{})
	serve(t, g, vest, err)
	pay, err := b2binpaytest.New(b2binpaytest.Config{})
	serve(t, g, pay, err)
	session, err := core.Bearer(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	type members map[string]string
	content, err := json.Marshal(map[string]members{
		"b2core": {"url": core.URL(), "bearer_file": secretFile(t, session.AccessToken), "call": core.URL() + b2coretest.APIPath},
		"traderevolution": {
			"url": office.BaseURL(), "login": traderevolutiontest.SampleLogin, "password_file": secretFile(t, traderevolutiontest.SamplePassword),
			"call": office.BaseURL() + traderevolutiontest.APIPath,
		},
		"tradevest": {
			"url": vest.URL(), "client_id": tradevesttest.SampleClientID, "client_secret_file": secretFile(t, tradevesttest.SampleClientSecret),
			"requestor_id": "123e4567-e89b-12d3-a456-426614174000", "call": vest.URL() + tradevesttest.APIPath,
		},
		"b2binpay": {"url": pay.URL(), "login": b2binpaytest.SampleLogin, "password_file": secretFile(t, b2binpaytest.SamplePassword), "call": pay.URL() + b2binpaytest.APIPath},
	})
	if err != nil {
		t.Fatal(err)
	}
	return secretFile(t, string(content)), func() {
		core.ExpireTokens()
		office.ExpireTokens()
		vest.ExpireTokens()
		pay.ExpireTokens()
	}
}

// The demo with an installation of its own: B2Trader by settings, the four others by a file. Whatever the five give out and
// take is in no byte of any page, and in no line of the log.
func TestPlatformsOfAFile(t *testing.T) {
	t.Parallel()
	g := &guard{}
	b2trader := startProvider(t, &clock{}, g, nil)
	file, expire := startFour(t, g)
	d := startDemo(t, "-addr", "127.0.0.1:0", "-log-format", "json", "-identity-url", b2trader.URL(), "-backoffice-url", b2trader.URL()+"/backoffice",
		"-spa-admin-secret-file", secretFile(t, "spa_admin-secret"), "-core-ib-secret-file", secretFile(t, "core_ib-secret"),
		"-machine-email", machine, "-machine-password-file", secretFile(t, passwords[machine]), "-platforms-file", file)
	w := &world{t: t, guard: g, log: d.log}

	b := newBrowser(t, w, d.site, http.DefaultTransport.(*http.Transport).Clone())
	page := b.signIn(admin, "spa_admin").follow("Platforms").want(http.StatusOK, "/platforms")
	for i, s := range systems() {
		at := desk{page, s}.signedIn(false)
		if shown := page.doc().Find(".platform input[name=platform]").Eq(i).AttrOr("value", ""); shown != s.id {
			t.Errorf("card %d is of %q, want %s", i, shown, s.id)
		}
		at = at.press("sign-in").says("Signed in to " + s.name + ".").signedIn(true)
		if at.doc().Find(at.card("button[value=expire], button[value=fail]")).Length() != 0 {
			t.Errorf("%s: a real server is offered to be broken", s.id)
		}
		at = at.press("use").says(s.call, "200 OK", s.answer)
		<-apart()
		page = at.press("renew").says("The token is renewed.", "Renewed once").page
	}
	expire()
	<-apart()
	for _, s := range systems()[1:] {
		at := desk{page, s}.press("use").says("refused the token, so it was renewed and the call repeated", "200 OK", s.answer, "Renewed 2 times")
		page = at.press("sign-out").signedIn(false).page
	}
	d.stop()
	w.search()
	wantKnown(t, g)
}

// wantKnown fails unless the secrets of all five came up. The guard knows each by the name under which it was seen last.
func wantKnown(t *testing.T, g *guard) {
	t.Helper()
	for kind, least := range map[string]int{
		"bearer": 13, "password": 4, "client secret": 2, "client_secret": 1, "refresh_token": 2, // the last of B2Trader
		"refreshToken": 3, "token": 2, "refresh": 3, "sign": 1, // of B2Core and TraderEvolution, TraderEvolution, B2BINPAY
	} {
		if n := g.knows(kind); n < least {
			t.Errorf("%d secrets of the kind %s came up, want %d", n, kind, least)
		}
	}
}
