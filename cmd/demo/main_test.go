package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"b2trader.identity.auth/identity"
	"b2trader.identity.auth/identity/store/storetest/servers"
	"b2trader.identity.auth/identity/tokenapi"
)

// asDemo is a variable that makes the test program the program demo.
const asDemo = "TEST_AS_DEMO"

func TestMain(m *testing.M) {
	if os.Getenv(asDemo) != "" {
		main()
		return
	}
	os.Exit(servers.Main(m))
}

// demo is run(), running.
type demo struct {
	t        *testing.T
	site     string // the first line that it printed
	provider string // the embedded IdentityServer
	metrics  string
	printed  string // on stdout, until it served
	end      context.CancelCauseFunc
	ended    chan struct{}
	err      error        // of run, to be read after ended
	log      bytes.Buffer // to be read after ended
}

// start runs the program, on a free port unless args say otherwise, until the
// test ends.
func start(t *testing.T, args ...string) *demo {
	t.Helper()
	ctx, end := context.WithCancelCause(t.Context())
	d := &demo{t: t, end: end, ended: make(chan struct{})}
	out, in := io.Pipe()
	go func() {
		defer close(d.ended)
		d.err = run(ctx, append([]string{"-addr", "127.0.0.1:0"}, args...), nil, in, &d.log)
		_ = in.Close()
	}()
	t.Cleanup(func() {
		end(nil)
		<-d.ended
		if t.Failed() {
			t.Logf("%s wrote:\n%s", d.site, &d.log)
		}
	})
	var printed strings.Builder
	buffer := make([]byte, 1024)
	for !strings.Contains(printed.String(), "Ctrl-C") {
		n, err := out.Read(buffer)
		printed.Write(buffer[:n])
		if err != nil {
			<-d.ended
			t.Fatalf("it stopped: %v, having printed %q", d.err, printed.String())
		}
	}
	d.printed = printed.String()
	d.site, _, _ = strings.Cut(printed.String(), "\n")
	if _, after, ok := strings.Cut(printed.String(), "npm client too: "); ok {
		d.provider, _, _ = strings.Cut(after, "\n")
	}
	if _, after, ok := strings.Cut(printed.String(), "Metrics: "); ok {
		d.metrics, _, _ = strings.Cut(after, "\n")
	}
	return d
}

// stop stops the program as Ctrl-C does, and fails the test unless it ends well.
func (d *demo) stop() {
	d.t.Helper()
	d.end(nil)
	d.wait()
}

// wait waits for the end, and fails the test unless it is a good one.
func (d *demo) wait() {
	d.t.Helper()
	select {
	case <-d.ended:
	case <-time.After(patience):
		d.t.Fatalf("%s does not end", d.site)
	}
	if d.err != nil {
		d.t.Errorf("%s ended by %v", d.site, d.err)
	}
}

// The whole of it: the first line is the URL, the sample users on the page can
// sign in, the API answers, and the stop is clean.
func TestRun(t *testing.T) {
	d := start(t, "-log-format", "json")
	if u, err := url.Parse(d.site); err != nil || u.Hostname() != "127.0.0.1" || u.Port() == "" {
		t.Fatalf("the first line is %q", d.site)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar, Timeout: 30 * time.Second}
	page := fetch(t, client, http.MethodGet, d.site, nil)
	for _, want := range []string{"admin@example.com", "admin-password", "246810", "spa_admin"} {
		if !strings.Contains(page, want) {
			t.Errorf("the sign-in page lacks %q", want)
		}
	}
	page = fetch(t, client, http.MethodPost, d.site+"/sign-in", url.Values{
		"email": {"admin@example.com"}, "password": {"admin-password"}, "client": {"spa_admin"}, "return_to": {"/flow"},
	})
	if !strings.Contains(page, "grant_type=authorization_code") {
		t.Error("the flow page does not show the flow")
	}
	for call, want := range map[string]string{"account": "25000.00", "users": "trader@example.com"} {
		if page = fetch(t, client, http.MethodPost, d.site+"/try", url.Values{"call": {call}}); !strings.Contains(page, want) {
			t.Errorf("calling %s does not show %q", call, want)
		}
	}
	for id, name := range map[string]string{"b2trader": "B2Trader", "b2trader-lk": "B2Trader lk"} {
		page = fetch(t, client, http.MethodPost, d.site+"/platforms", url.Values{"platform": {id}, "action": {"sign-in"}})
		if !strings.Contains(page, "Signed in to "+name+".") {
			t.Errorf("signing in to %s shows %s, want that it is signed in", id, page)
		}
	}
	own, err := identity.New(identity.Config{URL: d.provider, ClientID: identity.ClientSPA})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := own.Login(t.Context(), "trader@example.com", "trader-password"); err != nil {
		t.Errorf("the printed IdentityServer: %v", err)
	}
	client.CloseIdleConnections()
	d.stop()
	if _, err := own.Login(t.Context(), "trader@example.com", "trader-password"); !errors.Is(err, tokenapi.ErrUnavailable) {
		t.Errorf("the embedded IdentityServer outlives the stop: %v", err)
	}
	for _, secret := range []string{"admin-password", "spa_admin-secret", "eyJhbGciOi", "eyJ0eXAiOi"} {
		if strings.Contains(d.log.String(), secret) {
			t.Errorf("the log contains %q", secret)
		}
	}
	if !strings.Contains(d.log.String(), `"msg":"signed in"`) { // req 122
		t.Errorf("the log is %s, want the event of the sign-in as JSON", d.log.String())
	}
}

func fetch(t *testing.T, client *http.Client, method, target string, form url.Values) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, target, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		t.Errorf("%s %s: %s", method, target, resp.Status)
	}
	return string(body)
}

// With -identity-url the settings decide what is offered.
func TestRunAgainstAnotherServer(t *testing.T) {
	other := start(t)
	d := start(t, "-identity-url", other.provider, "-spa-admin-secret-file", secretFile(t, "spa_admin-secret\n"))
	page := fetch(t, http.DefaultClient, http.MethodGet, d.site, nil)
	if !strings.Contains(page, `value="spa_admin"`) || strings.Contains(page, "trader-password") {
		t.Error("spa_admin is not offered, or sample users are")
	}
	http.DefaultClient.CloseIdleConnections()
	d.stop()
	other.stop()
}

// req 129: metrics are on a listener of their own, if anywhere.
func TestMetrics(t *testing.T) {
	plain := start(t)
	d := start(t, "-metrics-addr", "127.0.0.1:0")
	if plain.metrics != "" || d.metrics == "" {
		t.Fatalf("metrics at %q without the flag, and at %q with it", plain.metrics, d.metrics)
	}
	client := newBrowser(t)
	page := fetch(t, client, http.MethodGet, d.metrics, nil)
	for _, want := range []string{"b2trader_build_info{", "go_goroutines ", "process_open_fds "} {
		if !strings.Contains(page, want) {
			t.Errorf("the metrics lack %q", want)
		}
	}
	for _, site := range []string{plain.site, d.site} {
		if got := get(t.Context(), client, site+"/metrics"); got != http.StatusNotFound {
			t.Errorf("%s/metrics is %d", site, got)
		}
	}
	plain.stop()
	d.stop()
	if got := get(t.Context(), client, d.metrics); got != 0 {
		t.Errorf("the metrics outlive the stop: %d", got)
	}
}

func TestPortTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	err = run(t.Context(), []string{"-addr", taken.Addr().String()}, nil, io.Discard, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "another program listens on "+taken.Addr().String()) || !strings.Contains(err.Error(), "-addr") {
		t.Errorf("got %v", err)
	}
}

func secretFile(t *testing.T, content string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// req 128: nothing half configured starts, and every problem is told at once.
func TestConfigurationProblems(t *testing.T) {
	empty, keys := secretFile(t, "\n"), secretFile(t, newKeyLine(time.Now()))
	named := []string{"-identity-url", "https://trader.example.com"}
	for name, c := range map[string]struct {
		args, env []string
		want      []string
	}{
		"unknown variable": {nil, []string{"B2TRADER_ADR=x", "PATH=/bin"}, []string{"B2TRADER_ADR is unknown"}},
		"useless beside the embedded server": {
			[]string{"-frontoffice-url", "https://a.example"}, []string{"B2TRADER_SPA_ADMIN_SECRET=hidden", "B2TRADER_MACHINE_EMAIL=m@example.com"},
			[]string{"-frontoffice-url has no effect", "B2TRADER_SPA_ADMIN_SECRET has no effect", "-machine-email has no effect"},
		},
		"many at once": {
			append(named, "-addr", "0.0.0.0:80", "-log-format", "xml", "-frontoffice-url", "http://api.example", "-machine-password-file", "/does/not/exist", "-spa-admin-secret-file", empty),
			[]string{"B2TRADER_TRUSTED_PROXIES=everyone"},
			[]string{"-public-url is needed", "-log-format", "-frontoffice-url must be https", "-machine-email is missing", "/does/not/exist", "is empty", "B2TRADER_TRUSTED_PROXIES"},
		},
		"an address and the rest": {
			[]string{"-identity-url", "http://trader.example.com", "-backoffice-url", "nonsense"}, nil,
			[]string{"-identity-url must be https", "unless -insecure-allow-http is set", "-backoffice-url must begin with https"},
		},
		"machine without password": {append(named, "-machine-email", "m@example.com"), []string{"B2TRADER_LK_SECRET=hidden"}, []string{"B2TRADER_MACHINE_PASSWORD or"}},
		"machine without client":   {append(named, "-machine-email", "m@example.com"), []string{"B2TRADER_MACHINE_PASSWORD=hidden"}, []string{"a secret for core_ib or lk is missing"}},
		"client without machine":   {named, []string{"B2TRADER_CORE_IB_SECRET=hidden"}, []string{"-machine-email is missing"}},
		"plaintext for nothing":    {[]string{"-insecure-allow-plaintext"}, nil, []string{"-insecure-allow-plaintext has no effect"}},
		// field 23
		"public passwords on every address":    {[]string{"-addr", ":8080", "-public-url", "http://localhost:8080"}, nil, []string{"-identity-url is missing", "-addr :8080", "-insecure-embedded-servers"}},
		"public passwords on a public address": {[]string{"-public-url", "https://app.example.com"}, nil, []string{"-identity-url is missing", "-public-url"}},
		"public passwords by a variable":       {nil, []string{"B2TRADER_ADDR=192.0.2.7:80", "B2TRADER_PUBLIC_URL=https://app.example.com"}, []string{"-identity-url is missing", "-addr 192.0.2.7:80", "-public-url"}},
		"public passwords before platforms":    {[]string{"-platforms-file", secretFile(t, "{}")}, nil, []string{"-identity-url is missing", "-platforms-file names real platforms"}},
		"embedded addresses for nothing":       {append(named, "-identity-addr", "127.0.0.1:1", "-platforms-addr", "127.0.0.1:2"), nil, []string{"-identity-addr has no effect", "-platforms-addr has no effect"}},
		"embedded addresses":                   {[]string{"-identity-addr", "192.0.2.7:1"}, []string{"B2TRADER_PLATFORMS_ADDR=127.0.0.1:65532"}, []string{"-identity-addr 192.0.2.7:1 is not on loopback", "up to 65531"}},
		"embedded addresses without a port":    {[]string{"-identity-addr", "127.0.0.1", "-platforms-addr", "127.0.0.1:http"}, nil, []string{`-identity-addr is "127.0.0.1"`, `-platforms-addr is "127.0.0.1:http"`}},
		"insecure for nothing":                 {append(named, "-insecure-embedded-servers"), nil, []string{"-insecure-embedded-servers has no effect"}},
		"twice":                                {append(named, "-spa-admin-secret-file", empty), []string{"B2TRADER_SPA_ADMIN_SECRET=hidden"}, []string{"choose one"}},
		"no such store":                        {[]string{"-store", "mysql://db.example/x"}, nil, []string{"-store must be"}},
		"no such file":                         {[]string{"-store", "sqlite:"}, nil, []string{"-store must be"}},
		"shared without keys":                  {[]string{"-store", "redis://127.0.0.1:1/0"}, nil, []string{"-session-keys-file is missing", "redis://127.0.0.1:1"}},
		"keys for nothing":                     {[]string{"-session-keys-file", keys}, nil, []string{"-session-keys-file has no effect"}},
		"bad keys":                             {[]string{"-store", "sqlite:x.db", "-session-keys-file", empty}, nil, []string{"there is no key"}},
		"passwords on show":                    {[]string{"-store", "postgres://u:hidden@db.example/x", "-store-listen-url", "postgres://db.example/x?password=hidden"}, nil, []string{"give it as B2TRADER_STORE", "give it as B2TRADER_STORE_LISTEN_URL"}},
		"listening for nothing":                {[]string{"-store-listen-url", "postgres://db.example/x"}, nil, []string{"-store-listen-url has no effect"}},
		"times":                                {[]string{"-idle-timeout", "2h", "-absolute-timeout", "1h", "-stop-delay", "-1s", "-metrics-addr", "9090"}, nil, []string{"-idle-timeout is longer", "-stop-delay", "-metrics-addr is"}},
		"keys of nobody":                       {append(named, "-identity-jwks-url", "ftp://keys.example"), nil, []string{"-identity-jwks-url"}},
		"an argument":                          {[]string{"surplus"}, nil, []string{`unexpected argument "surplus"`}},
		"a URL for an argument":                {[]string{"redis://app:hidden@host"}, nil, []string{`unexpected argument "redis://…"`}}, // field 26
	} {
		t.Run(name, func(t *testing.T) {
			for _, args := range [][]string{c.args, append([]string{"-check-config"}, c.args...)} {
				var stdout bytes.Buffer
				err := run(t.Context(), args, c.env, &stdout, io.Discard)
				if err == nil || stdout.Len() > 0 {
					t.Fatalf("%v started or was found good; printed %q", args, stdout.String())
				}
				for _, want := range c.want {
					if !strings.Contains(err.Error(), want) {
						t.Errorf("%v: the error lacks %q:\n%v", args, want, err)
					}
				}
				if strings.Contains(err.Error(), "hidden") {
					t.Error("the error tells a secret")
				}
			}
		})
	}
}

// On loopback the embedded servers need no flag, and in a container one.
//
// field 23
func TestEmbeddedServersWhereTheyMayServe(t *testing.T) {
	for _, args := range [][]string{
		{"-addr", "[::1]:0"}, {"-addr", "localhost:0", "-public-url", "http://localhost:8080"},
		{"-addr", "0.0.0.0:8080", "-public-url", "http://localhost:8080", "-insecure-embedded-servers"},
	} {
		if _, problems, err := parse(args, nil, io.Discard); err != nil || problems != nil {
			t.Errorf("parse(%q) = %v, %v, want no problem", args, problems, err)
		}
	}
}

func TestFlagsBeatVariables(t *testing.T) {
	s, problems, err := parse([]string{"-addr", "127.0.0.1:1"}, []string{"B2TRADER_ADDR=127.0.0.1:2", "B2TRADER_LOG_FORMAT=json"}, io.Discard)
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	if s.addr != "127.0.0.1:1" || s.logFormat != "json" {
		t.Errorf("-addr %s, -log-format %s", s.addr, s.logFormat)
	}
}

func TestUsage(t *testing.T) {
	var stderr bytes.Buffer
	if err := run(t.Context(), []string{"-h"}, nil, io.Discard, &stderr); err != nil || !strings.Contains(stderr.String(), "-identity-url") {
		t.Errorf("-h gives %v and %q", err, stderr.String())
	}
}

// A wrong flag names itself, its value and one that works, and so does its
// variable. The list of all flags does not hide it.
func TestWrongFlags(t *testing.T) {
	for _, c := range []struct {
		flag, value, want string
	}{
		{"-idle-timeout", "5", "such as 90s, 5m or 1h30m"},
		{"-absolute-timeout", "1 day", "such as 90s, 5m or 1h30m"},
		{"-stop-delay", "soon", "such as 90s, 5m or 1h30m"},
		{"-stop-delay", "-1s", "such as 5s"},
		{"-max-sessions-per-user", "many", "such as 5"},
		{"-insecure-allow-http", "yes", "true or false"},
		{"-check-config", "2", "true or false"},
		{"-trusted-proxies", "10.0.0.1", "such as 10.0.0.0/8"},
		{"-log-format", "xml", "text or json"},
		{"-language", "fr", "en or de"},
		{"-addr", "8080", "such as 127.0.0.1:8080"},
		{"-metrics-addr", "9090", "such as 127.0.0.1:9090"},
		{"-identity-addr", "8089", "such as 127.0.0.1:8090"},
		{"-no-such-flag", "", "demo -h lists the flags"},
	} {
		var stderr bytes.Buffer
		err := run(t.Context(), []string{c.flag + "=" + c.value}, nil, io.Discard, &stderr)
		if err == nil || !strings.Contains(err.Error(), c.flag) || !strings.Contains(err.Error(), c.value) || !strings.Contains(err.Error(), c.want) || stderr.Len() > 0 {
			t.Errorf("%s=%s gives %v, want it to name both, and %q; it prints %q, want nothing", c.flag, c.value, err, c.want, stderr.String())
		}
		if c.value == "" {
			continue
		}
		err = run(t.Context(), nil, []string{envName(c.flag[1:]) + "=" + c.value}, io.Discard, &stderr)
		if err == nil || !strings.Contains(err.Error(), c.value) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s=%s gives %v, want it to name the value, and %q", envName(c.flag[1:]), c.value, err, c.want)
		}
	}
}

// The help says for each flag what its value is, and which one works where that
// is not obvious.
func TestHelp(t *testing.T) {
	(&settings{}).flags().VisitAll(func(f *flag.Flag) {
		if name, _ := flag.UnquoteUsage(f); name == "value" || name == "string" {
			t.Errorf("-%s has the value %q, want a word for what it is", f.Name, name)
		}
	})
}

// A password file is read anew at each use, so it can change without a restart. req 23
func TestSecretFileIsReadAnew(t *testing.T) {
	source := secretSource{name: "X", file: secretFile(t, "first\n")}
	for _, want := range []string{"first", "second"} {
		if err := os.WriteFile(source.file, []byte(want+"\r\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := source.read(t.Context()); err != nil || got.Reveal() != want {
			t.Errorf("read %q (%v), want %q", got.Reveal(), err, want)
		}
	}
}

// req 122: whatever the machine's time zone, the log is in UTC.
func TestLogIsUTC(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		var b bytes.Buffer
		logger := newLogger(format, &b)
		record := slog.NewRecord(time.Date(2026, 1, 2, 12, 0, 0, 0, time.FixedZone("east", 3*3600)), slog.LevelInfo, "x", 0)
		if err := logger.Handler().Handle(t.Context(), record); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(b.String(), "2026-01-02T09:00:00") {
			t.Errorf("%s: %s", format, b.String())
		}
	}
}
