package e2e

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"b2trader.identity.auth/identity/apitest"
	"b2trader.identity.auth/identity/b2binpay/b2binpaytest"
	"b2trader.identity.auth/identity/b2core/b2coretest"
	"b2trader.identity.auth/identity/traderevolution/traderevolutiontest"
	"b2trader.identity.auth/identity/tradevest/tradevesttest"
)

// platform is a token system on the page /platforms.
type platform struct{ id, answer string } // answer is part of what its API returns

// platforms are the five in the order of the page.
var platforms = []platform{
	{"b2trader", "grantTypes"},
	{"b2core", "25000.00"},
	{"traderevolution", traderevolutiontest.SampleLogin},
	{"tradevest", "Sample Customer"},
	{"b2binpay", "0.300000000000000000"},
}

// sharePlatforms signs the accounts of all five platforms in at one process.
// The other process uses, renews and signs out the same accounts, also after
// both were restarted. req 123
func sharePlatforms(t *testing.T, store string) {
	s := newSecrets(t)
	file, expire := startNeighbours(t, s)
	f := newFleet(t, s, store, "-spa-admin-secret-file", secretFile(t, "spa_admin-secret"), "-core-ib-secret-file", secretFile(t, "core_ib-secret"),
		"-machine-email", machine, "-machine-password-file", secretFile(t, passwords[machine]), "-platforms-file", file)
	b := f.browser()
	b.signIn(admin, "spa_admin").want(http.StatusOK, "/account")
	for _, p := range platforms {
		f.card(b, 0, p, signedOut).press("sign-in")
		f.card(b, 1, p, 0).press("use").wantAnswer()
	}
	<-secondSignIn()
	for _, p := range platforms {
		f.card(b, 1, p, 0).press("renew")
		f.card(b, 0, p, 1).press("use").wantAnswer()
	}
	for _, d := range f.demos {
		d.stop()
	}
	for n := range f.demos {
		f.restart(n)
	}
	expire()
	f.server.ExpireTokens(machine)
	<-secondSignIn()
	for _, p := range platforms {
		f.card(b, 0, p, 1).press("use").press("use").wantAnswer() // the API refuses the token, so it is renewed
		f.card(b, 1, p, 2).press("sign-out")
		f.card(b, 0, p, signedOut)
	}
	f.wantGrants("password", 1)
	for kind, want := range map[string]int{
		"client secret": 2, "refresh_token": 2, "refreshToken": 3, "token": 2, "refresh": 3, "sign": 1, "password": 4,
	} {
		if got := s.knows(kind); got < want {
			t.Errorf("knows(%q) = %d, want at least %d", kind, got, want)
		}
	}
}

// secondSignIn waits until each account may sign in again: once a second.
func secondSignIn() <-chan time.Time { return time.After(1100 * time.Millisecond) }

// card is a platform's card on the page.
type card struct {
	*page
	platform
}

// signedOut is the number of renewals on the card of a platform without a
// sign-in.
const signedOut = -1

// card waits until process n shows that number of renewals. Another process
// learns of a change by the store's watch.
func (f *fleet) card(b *browser, n int, p platform, renewals int) card {
	f.t.Helper()
	var c card
	until(f.t, strconv.Itoa(renewals)+" renewals of "+p.id, func() bool {
		c = card{b.at(f.demos[n]).open("/platforms").want(http.StatusOK, "/platforms"), p}
		return c.renewals() == renewals
	})
	return c
}

// text returns the text of an element of the card.
func (c card) text(within string) string {
	return c.page.text(`.platform:has(input[name=platform][value="` + c.id + `"]) ` + within)
}

// renewals returns how often the token was renewed since the sign-in.
func (c card) renewals() int {
	found := regexp.MustCompile(`Renewed (not yet|once|(\d+) times)`).FindStringSubmatch(c.text(""))
	switch {
	case found == nil:
		return signedOut
	case found[1] == "not yet":
		return 0
	case found[1] == "once":
		return 1
	}
	return must(strconv.Atoi(found[2]))(c.b.t)
}

// press presses a button of the card.
func (c card) press(action string) card {
	c.b.t.Helper()
	return card{c.submit("/platforms", action, "platform", c.id).want(http.StatusOK, "/platforms"), c.platform}
}

// wantAnswer fails the test unless the card shows the answer of the API.
func (c card) wantAnswer() {
	c.b.t.Helper()
	if text := c.text("+ .platform-answer"); !strings.Contains(text, "200 OK") || !strings.Contains(text, c.answer) {
		c.b.t.Errorf("%s: the card shows %q, want 200 OK and %q", c.id, text, c.answer)
	}
}

// observed is a test server that reports each secret that goes in or out.
type observed struct {
	apitest.Servable
	secrets *secrets
}

// ServeHTTP implements http.Handler.
func (o observed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body := copyBody(r)
	o.secrets.learnRequest(r, body)
	o.secrets.learn("token", r.Header.Get("token")) // TraderEvolution's name for Authorization
	answer := httptest.NewRecorder()
	o.Servable.ServeHTTP(answer, r)
	for _, document := range [][]byte{body, answer.Body.Bytes()} {
		o.secrets.learnMembers(document, "token", "refreshToken", "accessToken", "access_token", "access", "refresh", "password", "sign")
	}
	pass(w, answer)
}

// startNeighbours starts the test servers of the four neighbours. It returns a
// file for -platforms-file and a function that ends all access tokens.
func startNeighbours(t *testing.T, s *secrets) (file string, expire func()) {
	t.Helper()
	core := must(b2coretest.New(b2coretest.Config{AccessTokenLifetime: longLife, BearerLifetime: longLife}))(t)
	office := must(traderevolutiontest.New(traderevolutiontest.Config{AccessTokenLifetime: longLife, RefreshTokenLifetime: 2 * longLife}))(t)
	vest := must(tradevesttest.New(tradevesttest.Config{}))(t)
	pay := must(b2binpaytest.New(b2binpaytest.Config{AccessTokenLifetime: longLife}))(t)
	for _, server := range []apitest.Servable{core, office, vest, pay} {
		apitest.Serve(t, observed{server, s}, nil)
	}
	bearer := must(core.Bearer(t.Context(), nil))(t)
	content := must(json.Marshal(map[string]map[string]string{
		"b2core": {"url": core.URL(), "bearer_file": secretFile(t, bearer.AccessToken), "call": core.URL() + b2coretest.APIPath},
		"traderevolution": {
			"url": office.BaseURL(), "login": traderevolutiontest.SampleLogin, "password_file": secretFile(t, traderevolutiontest.SamplePassword),
			"call": office.BaseURL() + traderevolutiontest.APIPath,
		},
		"tradevest": {
			"url": vest.URL(), "client_id": tradevesttest.SampleClientID, "client_secret_file": secretFile(t, tradevesttest.SampleClientSecret),
			"requestor_id": "123e4567-e89b-12d3-a456-426614174000", "call": vest.URL() + tradevesttest.APIPath,
		},
		"b2binpay": {
			"url": pay.URL(), "login": b2binpaytest.SampleLogin, "password_file": secretFile(t, b2binpaytest.SamplePassword),
			"call": pay.URL() + b2binpaytest.APIPath,
		},
	}))(t)
	return secretFile(t, string(content)), func() {
		core.ExpireTokens()
		office.ExpireTokens()
		vest.ExpireTokens()
		pay.ExpireTokens()
	}
}
