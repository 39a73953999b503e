package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// database is a Redis or PostgreSQL server of its own, which can be stopped and started again.
type database struct {
	t     testing.TB
	port  string
	args  []string
	dir   string
	user  *syscall.Credential // nil: whoever runs the test
	ready func() bool
	url   func(n int64) string // of the n-th part, which nobody else uses

	parts   atomic.Int64
	process *exec.Cmd
	ended   chan struct{}
}

// newDatabase makes a directory for it, and takes a free port.
func newDatabase(t testing.TB, as *syscall.Credential) *database {
	t.Helper()
	dir, err := os.MkdirTemp("", "b2trader-db-") // not t.TempDir, which another user cannot enter
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if as != nil {
		if err := os.Chown(dir, int(as.Uid), int(as.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	_, port, err := net.SplitHostPort(freeAddress(t))
	if err != nil {
		t.Fatal(err)
	}
	return &database{t: t, port: port, dir: dir, user: as}
}

// freeAddress returns a loopback address that was free a moment ago.
func freeAddress(t testing.TB) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

// startRedis starts a server that keeps what it acknowledged.
func startRedis(t testing.TB) *database {
	t.Helper()
	server := program(t, "redis-server", "/usr/local/bin")
	d := newDatabase(t, nil)
	d.args = []string{server, "--port", d.port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "yes", "--appendfsync", "always", "--databases", "64"}
	d.url = func(n int64) string { return fmt.Sprintf("redis://127.0.0.1:%s/%d", d.port, n) }
	d.ready = func() bool {
		conn, err := net.DialTimeout("tcp", "127.0.0.1:"+d.port, time.Second)
		if err != nil {
			return false
		}
		defer func() { _ = conn.Close() }()
		answer := make([]byte, 5)
		_ = conn.SetDeadline(time.Now().Add(time.Second)) // a fresh connection takes one
		_, sent := io.WriteString(conn, "PING\r\n")
		_, read := io.ReadFull(conn, answer)
		return sent == nil && read == nil && string(answer) == "+PONG"
	}
	t.Cleanup(d.kill)
	d.start()
	return d
}

// startPostgres starts a server with a superuser "postgres" and no passwords.
func startPostgres(t testing.TB) *database {
	t.Helper()
	const elsewhere = "/usr/lib/postgresql/*/bin"
	initdb, server, psql := program(t, "initdb", elsewhere), program(t, "postgres", elsewhere), program(t, "psql", elsewhere)
	d := newDatabase(t, unprivileged(t))
	data := filepath.Join(d.dir, "data")
	cluster := exec.CommandContext(t.Context(), initdb, "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync") //nolint:gosec // found above
	cluster.Dir, cluster.SysProcAttr = d.dir, &syscall.SysProcAttr{Credential: d.user}
	if out, err := cluster.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v: %s", err, out)
	}
	d.args = []string{
		server, "-D", data, "-p", d.port, "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=" + d.dir,
		"-c", "max_connections=300", "-c", "shared_buffers=32MB",
	}
	address := func(name string) string {
		return fmt.Sprintf("postgres://postgres@127.0.0.1:%s/%s?sslmode=disable", d.port, name)
	}
	run := func(statement string) error {
		return exec.CommandContext(context.Background(), psql, address("postgres"), "-Xqc", statement).Run() //nolint:gosec // found above
	}
	d.ready = func() bool { return run("SELECT 1") == nil }
	d.url = func(n int64) string {
		if err := run(fmt.Sprintf("CREATE DATABASE part%d", n)); err != nil {
			t.Error("CREATE DATABASE:", err)
		}
		return address(fmt.Sprintf("part%d", n))
	}
	t.Cleanup(d.kill)
	d.start()
	return d
}

// unprivileged is a user for programs that refuse to run as root; nil if root does not run the test.
func unprivileged(t testing.TB) *syscall.Credential {
	t.Helper()
	if os.Getuid() != 0 {
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			uid, _ := strconv.ParseUint(u.Uid, 10, 32)
			gid, _ := strconv.ParseUint(u.Gid, 10, 32)
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		}
	}
	t.Skip("root runs the test, and there is no user to run PostgreSQL as")
	return nil
}

// part is the URL of a part of the database that nobody else uses.
func (d *database) part() string { return d.url(d.parts.Add(1) - 1) }

// start starts it, also after stop, and waits until it answers.
func (d *database) start() {
	d.t.Helper()
	var output bytes.Buffer
	process := exec.Command(d.args[0], d.args[1:]...) //nolint:gosec,noctx // this file's choice, ended by kill
	process.Dir, process.Stdout, process.Stderr = d.dir, &output, &output
	process.SysProcAttr = &syscall.SysProcAttr{Credential: d.user}
	if err := process.Start(); err != nil {
		d.t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = process.Wait(); close(ended) }()
	d.process, d.ended = process, ended
	until(d.t, "the database", func() bool {
		select {
		case <-ended:
			d.t.Fatalf("%s ended: %s", d.args[0], output.String())
		default:
		}
		return d.ready()
	})
}

// stop ends it as an operator does, without waiting for its clients.
func (d *database) stop() {
	d.t.Helper()
	if err := d.process.Process.Signal(syscall.SIGINT); err != nil {
		d.t.Fatal(err)
	}
	receive(d.t, d.ended, "the end of the database")
}

func (d *database) kill() {
	if d.process != nil {
		_ = d.process.Process.Kill() // it may have ended
		<-d.ended
	}
}
