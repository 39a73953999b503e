package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"golang.org/x/oauth2"

	"b2trader.identity.auth/identity/b2binpay/b2binpaytest"
	"b2trader.identity.auth/identity/b2core/b2coretest"
	"b2trader.identity.auth/identity/traderevolution/traderevolutiontest"
	"b2trader.identity.auth/identity/tradevest/tradevesttest"
)

// members are one system of a platforms file.
type members map[string]any

// fileOf writes a platforms file.
func fileOf(t *testing.T, platforms map[string]members) string {
	t.Helper()
	content, err := json.Marshal(platforms)
	if err != nil {
		t.Fatal(err)
	}
	return secretFile(t, string(content))
}

// neighbours are the four other systems, B2BINPAY in both versions, on sockets, with the files of what is secret.
type neighbours struct {
	b2core          *b2coretest.Server
	traderEvolution *traderevolutiontest.Server
	tradevest       *tradevesttest.Server
	b2binpay        *b2binpaytest.Server
	b2binpayV3      *b2binpaytest.Server

	bearer  string            // its file
	secrets map[string]string // the files of the other systems
}

func startNeighbours(t *testing.T) *neighbours {
	t.Helper()
	n := &neighbours{
		b2core: b2coretest.Start(t, b2coretest.Config{}), traderEvolution: traderevolutiontest.Start(t, traderevolutiontest.Config{}),
		tradevest: tradevesttest.Start(t, tradevesttest.Config{}), b2binpay: b2binpaytest.Start(t, b2binpaytest.Config{}),
		b2binpayV3: b2binpaytest.Start(t, b2binpaytest.Config{Version: 3}),
		bearer:     filepath.Join(t.TempDir(), "bearer"),
		secrets: map[string]string{
			"traderevolution": secretFile(t, traderevolutiontest.SamplePassword+"\n"),
			"tradevest":       secretFile(t, tradevesttest.SampleClientSecret+"\n"),
			"b2binpay":        secretFile(t, b2binpaytest.SamplePassword+"\n"),
			"b2binpay-v3":     secretFile(t, b2binpaytest.SampleClientSecret+"\n"),
		},
	}
	n.freshBearer(t, nil)
	return n
}

// freshBearer writes the file of B2Core's bearer, with another than the one that was refused.
func (n *neighbours) freshBearer(t *testing.T, refused *oauth2.Token) *oauth2.Token {
	t.Helper()
	bearer, err := n.b2core.Bearer(t.Context(), refused)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, n.bearer, bearer.AccessToken+"\n")
	return bearer
}

func writeFile(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// file names all of them.
func (n *neighbours) file(t *testing.T) string {
	t.Helper()
	return fileOf(t, map[string]members{
		"b2core": {
			"url": n.b2core.URL(), "platform_id": b2coretest.SamplePlatform, "bearer_file": n.bearer, "country_code": "+995", "country_name": "Georgia",
			"hosts": []string{"https://trader.example.com"}, "call": n.b2core.URL() + b2coretest.APIPath,
		},
		"traderevolution": {
			"url": n.traderEvolution.BaseURL(), "login": traderevolutiontest.SampleLogin, "password_file": n.secrets["traderevolution"],
			"call": n.traderEvolution.BaseURL() + traderevolutiontest.APIPath,
		},
		"tradevest": {
			"url": n.tradevest.URL(), "token_path": "/oauth2/token", "scopes": []string{"tradevest.api"}, "client_id": tradevesttest.SampleClientID,
			"client_secret_file": n.secrets["tradevest"], "requestor_id": "123e4567-e89b-12d3-a456-426614174000", "call": n.tradevest.URL() + tradevesttest.APIPath,
		},
		"b2binpay": {
			"url": n.b2binpay.URL(), "login": b2binpaytest.SampleLogin, "password_file": n.secrets["b2binpay"], "call": n.b2binpay.URL() + b2binpaytest.APIPath,
		},
		"b2binpay-v3": {
			"url": n.b2binpayV3.URL(), "client_id": b2binpaytest.SampleClientID, "client_secret_file": n.secrets["b2binpay-v3"],
			"call": n.b2binpayV3.URL() + b2binpaytest.APIPath,
		},
	})
}

// desk is an administrator's browser at the platforms page of a demo.
type desk struct {
	t       *testing.T
	site    string
	browser *http.Client
	secrets []string // that no page may show
}

func newDesk(t *testing.T, site string) *desk {
	t.Helper()
	d := &desk{t: t, site: site, browser: newBrowser(t)}
	d.browser.CheckRedirect = nil
	fetch(t, d.browser, http.MethodPost, site+"/sign-in", url.Values{"email": {"admin@example.com"}, "password": {"admin-password"}, "client": {"spa_admin"}})
	return d
}

// does presses a button of a platform's card, and fails unless the page that follows has the status, and the card all the words.
func (d *desk) does(platform, action string, status int, words ...string) {
	d.t.Helper()
	got, card := d.press(platform, action)
	if got != status {
		d.t.Errorf("%s of %s: %d, want %d: %s", action, platform, got, status, card)
	}
	for _, word := range words {
		if !strings.Contains(card, word) {
			d.t.Errorf("%s of %s: the card lacks %q: %s", action, platform, word, card)
		}
	}
}

// press presses a button, and returns the status of the answer that this leads to, and what the card and the answer after it then say.
func (d *desk) press(platform, action string) (status int, card string) {
	d.t.Helper()
	resp, err := d.browser.PostForm(d.site+"/platforms", url.Values{"platform": {platform}, "action": {action}})
	if err != nil {
		d.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	page, err := goquery.NewDocumentFromReader(bytes.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	for _, secret := range d.secrets {
		if bytes.Contains(body, []byte(secret)) {
			d.t.Errorf("%s of %s: the page shows a secret", action, platform)
		}
	}
	found := page.Find(`.platform:has(input[value="` + platform + `"])`)
	found = found.AddSelection(found.Next().Filter(".platform-answer"))
	return resp.StatusCode, strings.Join(strings.Fields(found.Text()), " ")
}

// The systems of a file, by their real clients, beside the embedded B2Trader.
func TestPlatformsFile(t *testing.T) {
	n := startNeighbours(t)
	d := start(t, "-insecure-embedded-servers", "-platforms-file", n.file(t))
	office := newDesk(t, d.site)
	office.secrets = []string{traderevolutiontest.SamplePassword, tradevesttest.SampleClientSecret, b2binpaytest.SamplePassword, b2binpaytest.SampleClientSecret, "eyJhbGciOi", "eyJ0eXAiOi"}
	for platform, answer := range map[string]string{
		"b2trader": "grantTypes", "b2core": "25000.00", "traderevolution": traderevolutiontest.SampleLogin, "tradevest": "Sample Customer", "b2binpay": "0.3000",
		"b2binpay-v3": "0.3000",
	} {
		office.does(platform, "sign-in", http.StatusOK, "Signed in to")
		office.does(platform, "use", http.StatusOK, "200 OK", "The API accepted the token.", answer)
		office.does(platform, "expire", http.StatusBadRequest)
		office.does(platform, "fail", http.StatusBadRequest)
	}
	if sent := n.b2core.Requests(b2coretest.EndpointAuth)[0].Header; sent.Get("Geo-Country-Code") != "+995" || sent.Get("Geo-Country-Name") != "Georgia" {
		t.Errorf("the country is sent as %q %q", sent.Get("Geo-Country-Code"), sent.Get("Geo-Country-Name"))
	}
	if scope := n.tradevest.Requests(tradevesttest.EndpointToken)[0].Form.Get("scope"); scope != "tradevest.api" {
		t.Errorf("the scope is %q", scope)
	}
	d.stop()
	for _, secret := range office.secrets {
		if strings.Contains(d.log.String(), secret) {
			t.Errorf("the log holds what begins %.3q", secret)
		}
	}
}

// What is secret may change without a restart: B2Core's bearer between two renewals, the others between two sign-ins.
func TestPlatformsFileSecretsAreReadAnew(t *testing.T) {
	t.Parallel()
	n := startNeighbours(t)
	d := start(t, "-insecure-embedded-servers", "-platforms-file", n.file(t))
	office := newDesk(t, d.site)
	office.secrets = []string{"a wrong secret"}

	office.does("b2core", "sign-in", http.StatusOK, "Valid")
	n.b2core.ExpireBearers()
	first, err := n.b2core.Bearer(t.Context(), nil) // its holder is not told
	if err != nil {
		t.Fatal(err)
	}
	second := n.freshBearer(t, first)
	office.does("b2core", "renew", http.StatusOK, "The token is renewed.", "once")
	renewals := n.b2core.Requests(b2coretest.EndpointRefresh)
	if got := renewals[len(renewals)-1].Header.Get("Authorization"); got != "Bearer "+second.AccessToken || second.AccessToken == first.AccessToken {
		t.Error("the renewal did not show the bearer of the new file")
	}

	n.b2core.ExpireTokens()
	n.b2core.RevokeRefreshTokens()
	n.b2core.ExpireBearers()
	office.does("b2core", "renew", http.StatusOK, "the operator of this site must put a new one", "The sign-in is kept.") // the file is stale
	third := n.freshBearer(t, second)
	until(t, "the fresh bearer's being noticed", func() bool { // after the vault's pause
		_, card := office.press("b2core", "renew")
		return strings.Contains(card, "The token is renewed.")
	})
	renewals = n.b2core.Requests(b2coretest.EndpointAuth)
	if got := renewals[len(renewals)-1].Header.Get("Authorization"); got != "Bearer "+third.AccessToken {
		t.Error("the sign-in did not show the bearer of the newest file")
	}

	right := map[string]string{
		"traderevolution": traderevolutiontest.SamplePassword, "tradevest": tradevesttest.SampleClientSecret, "b2binpay": b2binpaytest.SamplePassword,
		"b2binpay-v3": b2binpaytest.SampleClientSecret,
	}
	for platform, secret := range right {
		writeFile(t, n.secrets[platform], "a wrong secret")
		office.does(platform, "sign-in", http.StatusOK, "does not accept this account's credentials", "no restart is needed")
		writeFile(t, n.secrets[platform], secret+"\r\n")
		until(t, "the sign-in with the new secret", func() bool { // a second after the refused one
			_, card := office.press(platform, "sign-in")
			return strings.Contains(card, "Signed in to")
		})
	}
	d.stop()
}

// A file that names one system offers that one, and B2Trader where a machine can sign in to it.
func TestPlatformsFileOffersWhatItNames(t *testing.T) {
	file := fileOf(t, map[string]members{"b2binpay": {"login": "key", "password_file": secretFile(t, "hidden")}})
	named := []string{"-identity-url", "https://trader.example.com", "-machine-email", "m@example.com", "-platforms-file", file}
	for name, c := range map[string]struct {
		args, env []string
		want      string
	}{
		"embedded":            {[]string{"-insecure-embedded-servers", "-platforms-file", file}, nil, "b2trader http://127.0.0.1/backoffice/api/v1/clients, b2trader-lk http://127.0.0.1/frontoffice/api/v3/account, b2binpay "},
		"without a machine":   {[]string{"-identity-url", "https://trader.example.com", "-platforms-file", file}, nil, "b2binpay "},
		"core_ib":             {append(named, "-backoffice-url", "https://b.example"), []string{"B2TRADER_CORE_IB_SECRET=s", "B2TRADER_MACHINE_PASSWORD=p"}, "b2trader https://b.example/api/v1/clients, b2binpay "},
		"core_ib without API": {append(named, "-frontoffice-url", "https://f.example"), []string{"B2TRADER_CORE_IB_SECRET=s", "B2TRADER_MACHINE_PASSWORD=p"}, "b2trader , b2binpay "},
		"lk":                  {append(named, "-frontoffice-url", "https://f.example"), []string{"B2TRADER_LK_SECRET=s", "B2TRADER_MACHINE_PASSWORD=p"}, "b2trader-lk https://f.example/api/v3/account, b2binpay "},
	} {
		t.Run(name, func(t *testing.T) {
			s, problems, err := parse(c.args, c.env, io.Discard)
			if err != nil || len(problems) > 0 {
				t.Fatal(err, problems)
			}
			config, problems := s.site("http://127.0.0.1", "http://127.0.0.1")
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			var offered []string
			for _, p := range config.showcase.Platforms {
				offered = append(offered, p.ID+" "+p.Call.URL)
			}
			if got := strings.Join(offered, ", "); got != c.want {
				t.Errorf("offered are %s, want %s", got, c.want)
			}
		})
	}
}

// req 128: whatever is wrong with a platforms file is told at once, in the words of the file, by the check and by the start.
func TestPlatformsFileProblems(t *testing.T) {
	secret, empty := secretFile(t, "hidden"), secretFile(t, "\r\n")
	for name, c := range map[string]struct {
		file string
		want []string
	}{
		"an empty object": {`{}`, []string{"names no platform: b2core, traderevolution, tradevest, b2binpay and b2binpay-v3 are known"}},
		"null":            {`{"b2core":null}`, []string{"names no platform"}},
		"nothing":         {` `, []string{"it is empty"}},
		"no JSON":         {"{\n\"b2core\": hidden}", []string{"line 2, column 11: invalid character"}},
		"cut short":       {`{"b2binpay":{"login":"hidden"`, []string{"it ends too early"}},
		"another file":    {`["hidden"]`, []string{"its content has the wrong type: array in place of an object"}},
		"unknown system":  {`{"hiddn":{}}`, []string{"hiddn is unknown"}},
		"wrong types": {`{"b2binpay":{"login":7,"password_file":["x"]},"tradevest":{"scopes":"a b"}}`, []string{
			"b2binpay.login has the wrong type: number in place of a text", "b2binpay.password_file has the wrong type: array",
			"tradevest.scopes has the wrong type: string in place of a list of texts",
		}},
		"no object":       {`{"b2binpay":"hidden"}`, []string{"b2binpay has the wrong type: string in place of an object"}},
		"garbage":         {`{"b2binpay":{"login":"key","password_file":"SECRET"}} hidden`, []string{"there is something after its end"}},
		"another bracket": {`{"b2binpay":{"login":"key","password_file":"SECRET"}}}`, []string{"there is something after its end"}},
		"two files":       {`{"b2binpay":{"login":"key","password_file":"SECRET"}}{}`, []string{"there is something after its end"}},
		"names and nothing": {`{"b2core":{},"traderevolution":{},"tradevest":{},"b2binpay":{},"b2binpay-v3":{}}`, []string{
			"b2core.url is missing", "b2core.email and password_file are missing, or else bearer_file",
			"traderevolution.url is missing", "traderevolution.login is missing", "traderevolution.password_file: the name of the secret's file is missing",
			"tradevest.client_id is missing", "tradevest.client_secret_file: the name of the secret's file is missing",
			"b2binpay.login is missing", "b2binpay.password_file: the name of the secret's file is missing",
			"b2binpay-v3.client_id is missing", "b2binpay-v3.client_secret_file: the name of the secret's file is missing",
		}},
		"half an account": {`{"b2core":{"url":"https://core.example","email":"a@example.com"}}`, []string{"b2core.password_file: the name of the secret's file is missing"}},
		"no e-mail":       {`{"b2core":{"url":"http://core.example","password_file":"SECRET"}}`, []string{"b2core.email is missing", "b2core.url must be https"}},
		"both ways": {`{"b2core":{"url":"https://core.example","bearer_file":"SECRET","email":"a@example.com","password_file":"SECRET"}}`, []string{
			"b2core.bearer_file must not stand beside email and password_file",
		}},
		"everything": {`{
			"b2core": {"url": "http://core.example", "platform_id": "..", "bearer_file": "EMPTY", "country_code": "a\nb", "hosts": ["x"], "call": "ftp://core.example"},
			"traderevolution": {"url": "http://user:hidden@office.example", "password_file": "/does/not/exist", "call": "http://office.example/accounts"},
			"tradevest": {"url": "http://vest.example", "token_path": "token", "scopes": ["a b"], "client_secret_file": "EMPTY", "requestor_id": "me", "call": "https://vest.example?key=hidden"},
			"b2binpay": {"url": "pay.example", "URL": "x", "password": "hidden", "password_file": "EMPTY", "call": "https://user:hidden@pay.example"},
			"b2binpay-v3": {"url": "http://pay.example", "client_secret_file": "EMPTY"},
			"b2corr": {"url": "hidden"}
		} hidden`, []string{
			"b2binpay.password is unknown", "b2binpay.URL is unknown", "b2corr is unknown", "there is something after its end",
			"b2core.url must be https", "b2core.platform_id must not be", "b2core.country_code cannot", "b2core.hosts must begin with https:// (entry 1)",
			"b2core.bearer_file: EMPTY is empty", "traderevolution.url must not contain a user name or password", "traderevolution.login is missing",
			"traderevolution.password_file: open /does/not/exist", "tradevest.url must be https", "tradevest.token_path must begin",
			"tradevest.scopes contains an invalid scope", "tradevest.client_id is missing", "tradevest.requestor_id is not a UUID", "tradevest.client_secret_file: EMPTY is empty",
			"b2binpay.url must begin with https://", "b2binpay.login is missing", "b2binpay.password_file: EMPTY is empty",
			"b2binpay-v3.url must be https", "b2binpay-v3.client_id is missing", "b2binpay-v3.client_secret_file: EMPTY is empty",
			"-platforms-file: b2core.call must begin with https://",
			"-platforms-file: traderevolution.call must be https: http is for loopback only",
			"-platforms-file: tradevest.call must have no query",
			"-platforms-file: b2binpay.call must not contain a user name or password",
			"-log-format is", // what is wrong elsewhere is told with it
		}},
	} {
		t.Run(name, func(t *testing.T) {
			in := strings.NewReplacer("SECRET", secret, "EMPTY", empty)
			args := []string{"-platforms-file", secretFile(t, in.Replace(c.file)), "-log-format", "xml"}
			wantProblems(t, args, in, append(c.want, "-platforms-file"))
		})
	}
	t.Run("no file", func(t *testing.T) {
		wantProblems(t, []string{"-platforms-file", "/does/not/exist"}, strings.NewReplacer(), []string{"-platforms-file: open /does/not/exist"})
	})
}

// wantProblems fails unless the demo refuses to start, and to find the configuration good, with all these words.
func wantProblems(t *testing.T, args []string, in *strings.Replacer, want []string) {
	t.Helper()
	for _, args := range [][]string{args, append([]string{"-check-config"}, args...)} {
		var stdout bytes.Buffer
		err := run(t.Context(), args, nil, &stdout, io.Discard)
		if err == nil || stdout.Len() > 0 {
			t.Fatalf("it started, or was found good; printed %q", stdout.String())
		}
		var missing []string
		for _, w := range want {
			if !strings.Contains(err.Error(), in.Replace(w)) {
				missing = append(missing, w)
			}
		}
		if missing != nil {
			t.Errorf("the error lacks %q:\n%v", missing, err)
		}
		for _, foreign := range []string{"hidden", "Config.", "Keeper", "struct"} {
			if strings.Contains(err.Error(), foreign) {
				t.Errorf("the error says %q:\n%v", foreign, err)
			}
		}
	}
}

// A good file is found good, and no system is asked for it; http beyond loopback is one flag away.
func TestCheckConfigWithPlatforms(t *testing.T) {
	n := startNeighbours(t)
	for file, c := range map[string]struct {
		args []string
		says string
	}{
		n.file(t): {nil, "Platforms: b2trader, b2trader-lk, b2core, traderevolution, tradevest, b2binpay, b2binpay-v3.\n"},
		fileOf(t, map[string]members{
			"b2core": {"url": "http://core.example", "bearer_file": n.bearer},
		}): {[]string{"-insecure-allow-http"}, "Platforms: b2trader, b2trader-lk, b2core (without a call).\n"},
	} {
		printed, err := check(t, append(c.args, "-insecure-embedded-servers", "-platforms-file", file), nil)
		if err != nil || !strings.Contains(printed, "The configuration is good.") || !strings.Contains(printed, c.says) {
			t.Errorf("printed %q, %v", printed, err)
		}
	}
	if asked := n.b2core.Count("auth") + n.traderEvolution.Count("token") + n.tradevest.Count("token") + n.b2binpay.Count("token") + n.b2binpayV3.Count("token"); asked != 0 {
		t.Errorf("the systems were asked %d times", asked)
	}
}
