// Package servers starts real database servers for tests, on free loopback ports and in directories of their own, and
// ends them with the test.
//
// Where a program is missing the test is skipped with the reason, unless B2TRADER_TEST_REQUIRE is 1: then it fails.
package servers

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// patience is how long a server may take to start or to stop.
const patience = 60 * time.Second

// Program finds a program in PATH or in one of the directories, which may hold wildcards, the last match being the
// newest version.
func Program(tb testing.TB, name string, dirs ...string) string {
	tb.Helper()
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	for _, dir := range dirs {
		if found, _ := filepath.Glob(filepath.Join(dir, name)); len(found) > 0 {
			return found[len(found)-1]
		}
	}
	if os.Getenv("B2TRADER_TEST_REQUIRE") == "1" {
		tb.Fatalf("%s is not installed, and B2TRADER_TEST_REQUIRE=1", name)
	}
	tb.Skipf("%s is not installed", name)
	return ""
}

// A Process is a server that can be stopped, killed and started again.
type Process struct {
	Dir  string // its own, removed with the test
	path string
	args []string
	env  []string
	user *account // nil: whoever runs the test

	ready func() bool
	again string // what it says before it ends if it must be started once more; empty: nothing
	cmd   *exec.Cmd
	ended chan struct{}
}

// start makes the process run until the test ends.
func (p *Process) start(tb testing.TB) {
	tb.Helper()
	tb.Cleanup(func() {
		p.Kill()
		if tb.Failed() {
			tb.Logf("%s said: %s", filepath.Base(p.path), p.lastWords())
		}
	})
	p.Start(tb)
}

// Start starts a process that was stopped, and waits until it answers.
func (p *Process) Start(tb testing.TB) {
	tb.Helper()
	p.launch(tb)
	Until(tb, func() bool {
		select {
		case <-p.ended:
			if words := p.lastWords(); p.again == "" || !strings.Contains(words, p.again) {
				tb.Fatalf("%s ended: %s", filepath.Base(p.path), words)
			}
			p.launch(tb)
		default:
		}
		return p.ready()
	})
}

func (p *Process) launch(tb testing.TB) {
	tb.Helper()
	output, err := os.OpenFile(filepath.Join(p.Dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = output.Close() }()
	cmd := exec.Command(p.path, p.args...) //nolint:gosec,noctx // this package's choice of program, ended by Kill
	cmd.Dir, cmd.Env = p.Dir, append(os.Environ(), p.env...)
	cmd.Stdout, cmd.Stderr = output, output
	cmd.SysProcAttr = p.user.attributes()
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	p.cmd, p.ended = cmd, ended
}

// Stop asks the process to end and waits until it has.
func (p *Process) Stop(tb testing.TB) {
	tb.Helper()
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
		tb.Fatal(err)
	}
	select {
	case <-p.ended:
	case <-time.After(patience):
		tb.Fatalf("%s does not stop: %s", filepath.Base(p.path), p.lastWords())
	}
}

// Kill ends the process the hard way (kill -9) and waits until it is gone.
func (p *Process) Kill() {
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// Signal sends a signal, such as one that pauses the process.
func (p *Process) Signal(tb testing.TB, signal os.Signal) {
	tb.Helper()
	if err := p.cmd.Process.Signal(signal); err != nil {
		tb.Fatal(err)
	}
}

func (p *Process) lastWords() string {
	log, _ := os.ReadFile(filepath.Join(p.Dir, "log"))
	return string(bytes.TrimSpace(log[max(0, len(log)-2000):]))
}

// Until waits for a condition, asking every few milliseconds.
func Until(tb testing.TB, condition func() bool) {
	tb.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline.C:
			tb.Fatal("waited in vain")
		}
	}
}

// directory makes one that user may use, unlike tb.TempDir.
func directory(tb testing.TB, user *account) string {
	tb.Helper()
	dir, err := os.MkdirTemp("", "b2trader-")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = os.RemoveAll(dir) })
	user.own(tb, dir)
	return dir
}

// FreePort returns a loopback port that was free a moment ago. It is below those that the system gives to connections, any of which
// could take it before its server starts, or starts again.
func FreePort(tb testing.TB) int {
	tb.Helper()
	const first, beyond, tries = 10000, 32000, 100
	for range tries {
		port := first + rand.IntN(beyond-first)
		var config net.ListenConfig
		if l, err := config.Listen(tb.Context(), "tcp", address(port)); err == nil {
			_ = l.Close()
			return port
		}
	}
	tb.Fatal("no port is free")
	return 0
}

// FreeAddress is that of a FreePort.
func FreeAddress(tb testing.TB) string {
	tb.Helper()
	return address(FreePort(tb))
}

func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// dial connects without a test's context, which ends before the test's cleanup.
func dial(addr string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: time.Second}
	return dialer.DialContext(context.Background(), "tcp", addr)
}

func listens(addr string) bool {
	conn, err := dial(addr)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}
