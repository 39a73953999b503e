// Package servers starts real database servers for tests, on free loopback
// ports and in directories of their own, and ends them with the test.
//
// If a program is not installed the test is skipped with the reason. With
// B2TRADER_TEST_REQUIRE=1 it fails instead.
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

	"b2trader.identity.auth/identity/store/storetest"
)

// patience is how long a test waits before it fails. It is long, because the
// machine may be busy.
const patience = 2 * time.Minute

// Program finds a program in PATH or in one of the directories, which may
// contain wildcards. Of several matches it returns the last, which is the
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
	Missing(tb, name+" is not installed")
	return ""
}

// Missing skips the test for a reason, or with B2TRADER_TEST_REQUIRE=1 fails it.
func Missing(tb testing.TB, reason string) {
	tb.Helper()
	if os.Getenv("B2TRADER_TEST_REQUIRE") == "1" {
		tb.Fatalf("%s, and B2TRADER_TEST_REQUIRE=1", reason)
	}
	tb.Skip(reason)
}

// A Process is a server that can be stopped, killed and started again.
type Process struct {
	Dir  string // its working directory, removed with the test
	path string
	args []string
	env  []string
	user *account // nil: the user that runs the test

	ready      func() bool
	startAgain string // a log message after which a start is repeated; "": none
	cmd        *exec.Cmd
	ended      chan struct{}
}

// start runs the process until the test ends.
func (p *Process) start(tb testing.TB) {
	tb.Helper()
	tb.Cleanup(func() {
		p.Kill()
		if tb.Failed() {
			tb.Logf("log of %s: %s", filepath.Base(p.path), p.endOfLog())
		}
	})
	p.Start(tb)
}

// Start starts a stopped process and waits until it answers.
func (p *Process) Start(tb testing.TB) {
	tb.Helper()
	p.launch(tb)
	storetest.Until(tb, func() bool {
		select {
		case <-p.ended:
			if log := p.endOfLog(); p.startAgain == "" || !strings.Contains(log, p.startAgain) {
				tb.Fatalf("%s ended: %s", filepath.Base(p.path), log)
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
	cmd := exec.Command(p.path, p.args...) //nolint:gosec,noctx // this package chooses the program, and Kill ends it
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

// Stop interrupts the process and waits until it has ended.
func (p *Process) Stop(tb testing.TB) {
	tb.Helper()
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
		tb.Fatal(err)
	}
	select {
	case <-p.ended:
	case <-time.After(patience):
		tb.Fatalf("%s did not stop within %v: %s", filepath.Base(p.path), patience, p.endOfLog())
	}
}

// Kill ends the process and its children by SIGKILL and waits until the process
// has ended.
func (p *Process) Kill() {
	if p.cmd == nil {
		return
	}
	_ = killTree(p.cmd.Process) // it may have ended before
	<-p.ended
}

// Signal sends a signal, such as one that pauses the process.
func (p *Process) Signal(tb testing.TB, signal os.Signal) {
	tb.Helper()
	if err := p.cmd.Process.Signal(signal); err != nil {
		tb.Fatal(err)
	}
}

func (p *Process) endOfLog() string {
	log, _ := os.ReadFile(filepath.Join(p.Dir, "log"))
	return string(bytes.TrimSpace(log[max(0, len(log)-2000):]))
}

// directory creates a directory for user, which cannot use that of tb.TempDir.
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

// FreePort returns a loopback port that was free a moment ago. It is below the
// ports that the system gives to connections, because a connection could take
// it before its server starts.
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

// FreeAddress returns the address of a FreePort.
func FreeAddress(tb testing.TB) string {
	tb.Helper()
	return address(FreePort(tb))
}

func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// dial connects. It does not use the context of a test, which ends before the
// cleanup of the test.
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
