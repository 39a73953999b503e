package e2e

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"b2trader.identity.auth/identity/identitytest/npmclient"
)

// demo is the command demo as a process of its own.
type demo struct {
	t        *testing.T
	site     *url.URL
	identity string // where the embedded IdentityServer is; empty without one
	metrics  string // where /metrics is; empty if it is nowhere
	log      *logBuffer
	process  *exec.Cmd
	ended    chan error
	stopped  bool
}

// startDemo starts the command, and reads what it prints.
func startDemo(t *testing.T, args ...string) *demo {
	t.Helper()
	d := &demo{t: t, log: &logBuffer{}, process: exec.Command(demoCommand(t), args...), ended: make(chan error, 1)}
	d.process.Env, d.process.Stderr = withoutSettings(os.Environ()), d.log
	stdout, err := d.process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.process.Start(); err != nil {
		t.Fatal(err)
	}
	printed := make(chan []string, 1)
	go func() {
		var lines []string
		for s := bufio.NewScanner(stdout); s.Scan(); {
			if lines = append(lines, s.Text()); strings.Contains(s.Text(), "Ctrl-C") {
				printed <- lines
			}
		}
		close(printed)
		d.ended <- d.process.Wait()
	}()
	t.Cleanup(func() {
		if !d.stopped {
			d.kill()
		}
	})
	lines := receive(t, printed, "what the process prints")
	if len(lines) == 0 {
		t.Fatalf("the demo did not start: %s", d.log)
	}
	if d.site, err = url.Parse(lines[0]); err != nil || d.site.Scheme != "http" {
		t.Fatalf("the first line is no URL: %v", err)
	}
	for _, line := range lines[1:] {
		if found := regexp.MustCompile(`^Embedded IdentityServer.* (http://\S+)$`).FindStringSubmatch(line); found != nil {
			d.identity = found[1]
		}
		if found := regexp.MustCompile(`^Metrics: (http://\S+)$`).FindStringSubmatch(line); found != nil {
			d.metrics = found[1]
		}
	}
	return d
}

// kill ends the process as kill -9 does.
func (d *demo) kill() {
	d.t.Helper()
	_ = d.process.Process.Kill() // it may have ended
	_ = receive(d.t, d.ended, "the end of the process")
	d.stopped = true
}

// withoutSettings drops the variables that the demo would read.
func withoutSettings(env []string) []string {
	var kept []string
	for _, entry := range env {
		if !strings.HasPrefix(entry, "B2TRADER_") {
			kept = append(kept, entry)
		}
	}
	return kept
}

// stop ends the process as an operator does, and fails unless it ends well. req 131
func (d *demo) stop() {
	d.t.Helper()
	if err := d.process.Process.Signal(syscall.SIGTERM); err != nil {
		d.t.Fatal(err)
	}
	if err := receive(d.t, d.ended, "the end of the process"); err != nil {
		d.t.Errorf("the demo ended with %v\n%s", err, d.log)
	}
	d.stopped = true
}

// The demo as a newcomer has it: one command, one URL, users to choose from,
// and a clean end.
func TestDemo(t *testing.T) {
	t.Parallel()
	d := startDemo(t, "-addr", "127.0.0.1:0", "-log-format", "json")
	w := &world{t: t, guard: &guard{}, log: d.log}
	b := newBrowser(t, w, d.site, http.DefaultTransport.(*http.Transport).Clone())
	p := b.open("/")
	p.want(http.StatusOK, "/sign-in", d.identity, trader, "trader-password", admin, guarded, "246810")
	p = p.submit("/sign-in", "Sign in", "email", admin, "password", "admin-password", "client", "spa_admin")
	p.want(http.StatusOK, "/account", "BackOffice", "Granted")
	p.follow("Try an API").submit("/try", "users").want(http.StatusOK, "/try", "200 OK", guarded)
	p.follow("Machine-to-machine").submit("/machine", "Sign in", "client", "core_ib").want(http.StatusOK, "/machine", "core_ib is signed in.")
	p.follow("Flow").want(http.StatusOK, "/flow")
	if ready := b.fetch("/readyz"); ready.status != http.StatusOK {
		t.Errorf("/readyz gives %d %s", ready.status, ready.body)
	}
	p.submit("/sign-out", "Sign out").want(http.StatusOK, "/sign-in")
	d.stop()
	if _, err := b.try(b.fetching("/healthz")); err == nil {
		t.Error("somebody still answers")
	}
	for _, secret := range []string{"admin-password", "spa_admin-secret", "machine-password", "eyJhbGciOi"} { // req 123
		if strings.Contains(d.log.String(), secret) {
			t.Errorf("the log holds a secret that begins %.5q", secret)
		}
	}
	if !strings.Contains(d.log.String(), `"msg":"signed in"`) { // req 122
		t.Error("the log does not tell of the sign-in")
	}
	for _, leak := range w.guard.leaks() {
		t.Error(leak)
	}
}

// testNPMWithDemo: the npm package signs in, renews and signs out against the
// server that the demo starts.
func testNPMWithDemo(t *testing.T, npm *npmclient.Package) {
	d := startDemo(t, "-addr", "127.0.0.1:0")
	results := npm.Run(t, d.identity, "spa", "",
		npmclient.SignIn(trader, "trader-password"), npmclient.Authorize(), npmclient.RetrieveToken(),
		npmclient.RefreshToken(), npmclient.SignOut(), npmclient.RefreshToken())
	for i, want := range []int{http.StatusOK, 0, 0, http.StatusOK, http.StatusOK, http.StatusBadRequest} {
		if results[i].Status != want {
			t.Errorf("%s gives %d, want %d", results[i].Call, results[i].Status, want)
		}
	}
	first, second := results[2], results[3]
	if first.Text("access_token") == "" || second.Text("access_token") == "" || first.Text("refresh_token") == second.Text("refresh_token") {
		t.Error("the npm package did not get tokens and then new ones")
	}
	if results[5].Text("error") != "invalid_grant" {
		t.Error("after the sign-out the refresh token still works")
	}
	d.stop()
}

// req 128: every problem of a configuration at once, and nothing starts.
func TestDemoRefusesABadConfiguration(t *testing.T) {
	t.Parallel()
	binary := demoCommand(t)
	run := func(env []string, args ...string) (string, error) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		cmd := exec.CommandContext(ctx, binary, args...)
		cmd.Env = append(withoutSettings(os.Environ()), env...)
		var output bytes.Buffer
		cmd.Stdout, cmd.Stderr = io.Discard, &output
		err := cmd.Run()
		return output.String(), err
	}
	output, err := run([]string{"B2TRADER_SPA_ADMIN_SECRET=never-print-me", "B2TRADER_UNHEARD_OF=1"},
		"-check-config", "-identity-url", "http://trader.example.com", "-log-format", "xml", "-machine-email", machine)
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 1 {
		t.Errorf("it ends with %v", err)
	}
	for _, problem := range []string{"B2TRADER_UNHEARD_OF", "-identity-url", "-log-format", "-machine-password-file"} {
		if !strings.Contains(output, problem) {
			t.Errorf("it does not complain about %s: %s", problem, output)
		}
	}
	if strings.Contains(output, "never-print-me") {
		t.Error("it prints the secret")
	}
	if output, err := run(nil, "-check-config"); err != nil {
		t.Errorf("a good configuration: %v %s", err, output)
	}
}
