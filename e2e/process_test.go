package e2e

import (
	"bufio"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// demo is the command demo as a process of its own.
type demo struct {
	t        *testing.T
	secrets  *secrets
	site     *url.URL
	identity string // URL of the embedded IdentityServer; empty without one
	metrics  string // URL of /metrics; empty without -metrics-addr
	log      *logBuffer
	process  *exec.Cmd
	ended    chan error
	stopped  bool
}

// startDemo starts the command with the flags and waits until it serves. The
// process is killed when the test ends. Its stop has no delay by default. Its log
// must not contain any of the secrets.
func startDemo(t *testing.T, s *secrets, flags ...string) *demo {
	t.Helper()
	d := &demo{t: t, secrets: s, log: s.newLog(), process: exec.Command(demoCommand(t), append([]string{"-stop-delay", "0"}, flags...)...), ended: make(chan error, 1)}
	d.process.Env, d.process.Stderr = withoutSettings(os.Environ()), d.log
	stdout := must(d.process.StdoutPipe())(t)
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
	d.read(receive(t, printed, "output of demo"))
	return d
}

// read finds the URLs in what the process printed.
func (d *demo) read(lines []string) {
	d.t.Helper()
	if len(lines) == 0 {
		d.t.Fatalf("the demo did not start: %s", d.log)
	}
	var err error
	if d.site, err = url.Parse(lines[0]); err != nil || d.site.Scheme != "http" {
		d.t.Fatalf("first line = %q (%v), want an http URL", lines[0], err)
	}
	for _, line := range lines[1:] {
		if found := regexp.MustCompile(`^Embedded IdentityServer.* (http://\S+)$`).FindStringSubmatch(line); found != nil {
			d.identity = found[1]
		}
		if found := regexp.MustCompile(`^Metrics: (http://\S+)$`).FindStringSubmatch(line); found != nil {
			d.metrics = found[1]
		}
	}
}

// signal sends a signal, such as one that stops the process for a while.
func (d *demo) signal(s syscall.Signal) {
	d.t.Helper()
	if err := d.process.Process.Signal(s); err != nil {
		d.t.Fatal(err)
	}
}

// kill ends the process as kill -9 does.
func (d *demo) kill() {
	d.t.Helper()
	_ = d.process.Process.Kill() // an error means that it has ended already
	_ = receive(d.t, d.ended, "end of demo")
	d.stopped = true
}

// stop ends the process by SIGTERM and fails the test unless it exits with 0.
// req 131
func (d *demo) stop() {
	d.t.Helper()
	if err := d.process.Process.Signal(syscall.SIGTERM); err != nil {
		d.t.Fatal(err)
	}
	if err := receive(d.t, d.ended, "end of demo"); err != nil {
		d.t.Errorf("exit of demo = %v, want status 0\n%s", err, d.log)
	}
	d.stopped = true
}

// withoutSettings drops the variables that the demo reads.
func withoutSettings(env []string) []string {
	return slices.DeleteFunc(env, func(entry string) bool { return strings.HasPrefix(entry, "B2TRADER_") })
}

// metric returns the value of a series, or 0 if the process has no such series.
func (d *demo) metric(series string) int {
	d.t.Helper()
	resp := must(http.Get(d.metrics))(d.t)
	defer func() { _ = resp.Body.Close() }()
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), series+" "); ok {
			return must(strconv.Atoi(value))(d.t)
		}
	}
	return 0
}

// secretFile writes a file for a flag that names one, and returns its name.
func secretFile(t *testing.T, content string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}
