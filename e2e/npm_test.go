package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/identitytest/npmclient"
	"b2trader.identity.auth/identity/tokenapi"
)

// TestNPM installs the published npm package once, compares it with the Go
// client on the wire, uses it with the demo, and in a browser.
func TestNPM(t *testing.T) {
	t.Parallel()
	npm := npmclient.Install(t)
	t.Run("on the wire", func(t *testing.T) { t.Parallel(); testWire(t, npm) })
	t.Run("demo", func(t *testing.T) { t.Parallel(); testNPMWithDemo(t, npm) })
	t.Run("browser", func(t *testing.T) { t.Parallel(); testNPMInChromium(t, npm) })
}

// rule explains a difference by a row of the table "Deliberate differences" in
// the doc of package identity. The last four fields are regular expressions.
type rule struct {
	row, says string // text that the row must contain
	call      string
	what      string
	npm, ours string // described values
}

const anyToken = "token by .*"

var rules = []rule{
	{"W1", "verifier", "token by authorization_code", "body code_verifier", "128 characters", "43 characters"},
	{"W2", "state and nonce", "/connect/authorize", "query (state|nonce)", "10 characters", "26 characters"},
	{"W3", "authorize", "/connect/authorize", "order of the query", "client_id response_type .*", "client_id code_challenge .* state"},
	{"W3", "token", anyToken, "order of the body", ".*", ".*"},
	{"W4", "redirect URI", "/sign-in-done", "number of requests", "1", "0"},
	{"W5", "cookies", "/connect/authorize", "header Cookie", "idsrv path samesite httponly idsrv.session path", "idsrv idsrv.session"},
	{"W6", "client_id", "token by authorization_code", "header Authorization", "Basic spa:", none},
	{"W6", "client_id", "token by authorization_code", "body client_id", none, "= spa"},
	{"W7", "form-encoded", anyToken, "header Authorization", `Basic \w+:a\+secret/with %41`, `Basic \w+:a%2Bsecret%2Fwith\+%2541`},
	{"W8", "Basic", "token by refresh_token", "header Authorization", none, `Basic (\w+):(\w+)-secret`},
	{"W8", "client_id", "token by refresh_token", "body client_id", `= \w+`, none},
	{"W9", "scope", "token by refresh_token", "body scope", "= openid offline_access .*Office", none},
	{"W10", "User-Agent", ".*", "header (Accept|Accept-Encoding|Connection|User-Agent)", ".*", ".*"},
	{"W11", "discovery document", `/\.well-known/openid-configuration(/jwks)?`, "number of requests", "0", "1"},
	{"W12", "the same JSON", "/sign-in", "spelling of the body", `.*<&>.*`, `.*\\u003c\\u0026\\u003e.*`},
}

func (r rule) explains(d difference) bool {
	for pattern, text := range map[string]string{r.call: d.call, r.what: d.what} {
		if !matches(pattern, text) {
			return false
		}
	}
	return matches(r.npm, d.npm) && matches(r.ours, d.ours)
}

func matches(pattern, text string) bool {
	return regexp.MustCompile(`^(?s:` + pattern + `)$`).MatchString(text)
}

// tableRows reads the rows W1, W2, … from the doc of package identity.
func tableRows(t *testing.T) map[string]string {
	t.Helper()
	doc, err := os.ReadFile(filepath.Join(repository, "identity", "doc.go"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(doc), "// # Deliberate differences")
	if !ok {
		t.Fatal("identity/doc.go has no table of deliberate differences")
	}
	table, _, _ = strings.Cut(table, "\n// The API differs")
	rows := make(map[string]string)
	for _, row := range regexp.MustCompile(`(?m)^//\t(W\d+)\s+(.+(?:\n//\t    .+)*)$`).FindAllStringSubmatch(table, -1) {
		rows[row[1]] = strings.ReplaceAll(row[2], "\n//\t   ", "")
	}
	return rows
}

// oddSecret is a secret that the two clients escape differently.
const oddSecret = "a+secret/with %41"

// oddPassword is a password that the two clients escape differently in JSON.
const oddPassword = "trader <&> password"

// testWire makes the same calls with both clients. Each difference must have a
// row in the table, and each row a difference.
func testWire(t *testing.T, npm *npmclient.Package) {
	rows := tableRows(t)
	for _, r := range rules {
		if !strings.Contains(rows[r.row], r.says) {
			t.Errorf("row %s = %q, want %q in it, for %s of %s", r.row, rows[r.row], r.says, r.what, r.call)
		}
	}
	seen := map[string]bool{}
	for name, differences := range map[string][]difference{
		"spa":                      signInBoth(t, npm, "spa", ""),
		"spa_admin":                signInBoth(t, npm, "spa_admin", "spa_admin-secret"),
		"core_ib":                  machineBoth(t, npm, "core_ib", "core_ib-secret"),
		"lk":                       machineBoth(t, npm, "lk", "lk-secret"),
		"core_ib, an odd secret":   machineBoth(t, npm, "core_ib", oddSecret),
		"spa_admin, an odd secret": signInBoth(t, npm, "spa_admin", oddSecret),
	} {
		for _, d := range differences {
			i := slices.IndexFunc(rules, func(r rule) bool { return r.explains(d) })
			if i < 0 {
				t.Errorf("%s: no row of the table explains the difference %v", name, d)
				continue
			}
			seen[rules[i].row] = true
		}
	}
	for row, text := range rows {
		if !seen[row] {
			t.Errorf("row %s (%s) was not seen on the wire", row, text)
		}
	}
}

// installation returns a Config with that secret for the client.
func installation(client, secret string) identitytest.Config {
	config := identitytest.Config{AccessTokenLifetime: longLife, Users: identitytest.SampleUsers(), Clients: identitytest.SampleClients()}
	for i := range config.Clients {
		if config.Clients[i].ID == client {
			config.Clients[i].Secret = secret
		}
	}
	config.Users[0].Password = oddPassword
	return config
}

func goClient(t *testing.T, url, client, secret string) *identity.Client {
	t.Helper()
	c, err := identity.New(identity.Config{URL: url, ClientID: client, ClientSecret: tokenapi.NewSecret(secret)})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// signInBoth signs in, renews and signs out with both clients.
func signInBoth(t *testing.T, npm *npmclient.Package, client, secret string) []difference {
	t.Helper()
	w := startWire(t, installation(client, secret))
	steps := []npmclient.Step{npmclient.SignIn(trader, oddPassword), npmclient.Authorize(), npmclient.RetrieveToken()}
	odd := secret == oddSecret // the npm package gets no token with it
	if !odd {
		steps = append(steps, npmclient.RefreshToken(), npmclient.SignOutOfOne(), npmclient.SignOut())
	}
	npm.Run(t, w.URL(), client, secret, steps...)
	theirs := w.take()
	c, ctx := goClient(t, w.URL(), client, secret), t.Context()
	signIn, err := c.SignIn(ctx, trader, oddPassword)
	if err != nil {
		t.Fatal(err)
	}
	code, err := signIn.Authorize(ctx)
	if err != nil {
		t.Fatal(err)
	}
	token, err := signIn.RetrieveToken(ctx, code)
	if err != nil {
		t.Fatal(err)
	}
	if !odd {
		renewAndSignOut(t, c, token.RefreshToken)
	}
	return compare(theirs, w.take())
}

// renewAndSignOut renews, signs out of one token, and then of all.
func renewAndSignOut(t *testing.T, c *identity.Client, refreshToken string) {
	t.Helper()
	ctx := t.Context()
	token, err := c.RefreshToken(ctx, refreshToken)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.SignOut(ctx, token.AccessToken, token.RefreshToken); err != nil {
		t.Fatal(err)
	}
	if err := c.SignOutEverywhere(ctx, token.AccessToken); err != nil {
		t.Fatal(err)
	}
}

// machineBoth signs a machine in with both clients, renews and signs out.
func machineBoth(t *testing.T, npm *npmclient.Package, client, secret string) []difference {
	t.Helper()
	w := startWire(t, installation(client, secret))
	steps := []npmclient.Step{npmclient.MachineToMachineSignIn(machine, "machine-password")}
	odd := secret == oddSecret
	if !odd {
		steps = append(steps, npmclient.RefreshToken(), npmclient.SignOutOfOne(), npmclient.SignOut())
	}
	npm.Run(t, w.URL(), client, secret, steps...)
	theirs := w.take()
	c := goClient(t, w.URL(), client, secret)
	token, err := c.MachineToMachineSignIn(t.Context(), machine, "machine-password")
	if err != nil {
		t.Fatal(err)
	}
	if !odd {
		renewAndSignOut(t, c, token.RefreshToken)
	}
	return compare(theirs, w.take())
}

// TestWireComparisonNotices changes a request in ways that no row explains.
func TestWireComparisonNotices(t *testing.T) {
	t.Parallel()
	const form = "application/x-www-form-urlencoded"
	base := func() sent {
		return sent{call: "token by refresh_token", method: "POST", path: "/identity/connect/token",
			query: []field{{"a", "1"}, {"b", "2"}}, header: map[string][]string{"Content-Type": {form}},
			body: []byte("grant_type=refresh_token&refresh_token=0123456789")}
	}
	for name, tamper := range map[string]func(s *sent){
		"method":          func(s *sent) { s.method = "PUT" },
		"path":            func(s *sent) { s.path += "/" },
		"query value":     func(s *sent) { s.query[0].value = "3" },
		"query order":     func(s *sent) { slices.Reverse(s.query) },
		"more query":      func(s *sent) { s.query = append(s.query, field{"c", "3"}) },
		"repeated query":  func(s *sent) { s.query = append(s.query, field{"a", "1"}) },
		"header value":    func(s *sent) { s.header.Set("Content-Type", form+"; charset=utf-8") },
		"more headers":    func(s *sent) { s.header.Set("Origin", "https://example.com") },
		"more cookies":    func(s *sent) { s.header.Set("Cookie", "a=b") },
		"other form":      func(s *sent) { s.body = append(s.body, "&audience=x"...) },
		"length of token": func(s *sent) { s.body = append(s.body, '0') },
		"another call":    func(s *sent) { s.call = "/connect/revocation" },
	} {
		tampered := base()
		tamper(&tampered)
		found := compare([]sent{base()}, []sent{tampered})
		if len(found) == 0 {
			t.Errorf("%s: compare() = none, want a difference", name)
		}
		for _, d := range found {
			if slices.ContainsFunc(rules, func(r rule) bool { return r.explains(d) }) {
				t.Errorf("%s: a row explains %v, want none", name, d)
			}
		}
	}
	if found := compare([]sent{base()}, []sent{base()}); len(found) != 0 {
		t.Errorf("compare() of a request with itself = %v, want none", found)
	}
}
