package servers

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
)

// A Postgres is a PostgreSQL server with a superuser "postgres" and no
// passwords.
type Postgres struct {
	*Process
	Addr string
	Port int

	psql  string
	names atomic.Int64
}

const postgresDirs = "/usr/lib/postgresql/*/bin"

// StartPostgres creates a server and starts it. It does not wait for the disk
// unless a setting says so.
func StartPostgres(tb testing.TB, settings ...string) *Postgres {
	tb.Helper()
	return startPostgres(tb, nil, settings)
}

// StartPostgresAhead starts a server whose clock is an hour ahead
// (libfaketime).
func StartPostgresAhead(tb testing.TB) *Postgres {
	tb.Helper()
	library := Program(tb, "libfaketimeMT.so.1", "/usr/lib/*/faketime")
	return startPostgres(tb, []string{"LD_PRELOAD=" + library, "FAKETIME=+1h"}, nil)
}

// StartStandby starts a standby of a server: it follows the server and refuses
// writes until Promote.
func StartStandby(tb testing.TB, primary *Postgres) *Postgres {
	tb.Helper()
	return runPostgres(tb, nil, nil, Program(tb, "pg_basebackup", postgresDirs),
		"--write-recovery-conf", "--checkpoint=fast", "--no-sync", "-h", "127.0.0.1", "-p", strconv.Itoa(primary.Port), "-U", "postgres", "-D")
}

// Promote makes a standby a primary.
func (p *Postgres) Promote(tb testing.TB) {
	tb.Helper()
	p.SQL(tb, "postgres", "SELECT pg_promote()")
}

func startPostgres(tb testing.TB, env, settings []string) *Postgres {
	tb.Helper()
	return runPostgres(tb, env, settings, "cp", "-Rp", emptyPostgres(tb))
}

// emptyPostgres returns the files of a new server. The first call creates them,
// which takes seconds, and Main removes them.
func emptyPostgres(tb testing.TB) string {
	tb.Helper()
	shared.newPostgres.Lock()
	defer shared.newPostgres.Unlock()
	if shared.newPostgres.dir == "" {
		dir := directory(lasting{tb}, unprivileged(tb))
		create(tb, dir, Program(tb, "initdb", postgresDirs), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "-D")
		shared.newPostgres.dir = filepath.Join(dir, "data")
	}
	return shared.newPostgres.dir
}

// create runs a program whose last argument is the folder of a server's files.
func create(tb testing.TB, dir, program string, options ...string) {
	tb.Helper()
	cmd := exec.Command(program, append(options, filepath.Join(dir, "data"))...) //nolint:gosec,noctx // this package chooses the program, which ends by itself
	cmd.Dir, cmd.SysProcAttr = dir, unprivileged(tb).attributes()
	if out, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("%s: %v: %s", filepath.Base(program), err, out)
	}
}

// runPostgres creates the files of a server by a program and starts it.
func runPostgres(tb testing.TB, env, settings []string, program string, options ...string) *Postgres {
	tb.Helper()
	server, err := filepath.EvalSymlinks(Program(tb, "postgres", postgresDirs))
	if err != nil {
		tb.Fatal(err)
	}
	psql := Program(tb, filepath.Join(filepath.Dir(server), "psql")) // Debian's psql in PATH is a slow wrapper
	user := unprivileged(tb)
	port := FreePort(tb)
	dir := directory(tb, user)
	data := filepath.Join(dir, "data")
	create(tb, dir, program, options...)
	args := []string{"-D", data, "-p", strconv.Itoa(port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=" + dir,
		"-c", "fsync=off", "-c", "max_connections=300", "-c", "shared_buffers=32MB"}
	for _, s := range settings {
		args = append(args, "-c", s)
	}
	p := &Postgres{Addr: address(port), Port: port, psql: psql}
	p.Process = &Process{Dir: dir, path: server, args: args, env: env, user: user}
	p.startAgain = "pre-existing shared memory block" // the children of a killed server have not ended yet
	p.ready = func() bool {
		if !listens(p.Addr) { // psql costs more
			return false
		}
		_, err := p.run("postgres", "SELECT 1")
		return err == nil
	}
	p.start(tb)
	return p
}

// NewDatabase creates a database and returns its name.
func (p *Postgres) NewDatabase(tb testing.TB) string {
	tb.Helper()
	name := fmt.Sprintf("test%d", p.names.Add(1))
	p.SQL(tb, "postgres", "CREATE DATABASE "+name)
	return name
}

// NewTable returns a name that no other test uses for a table.
func (p *Postgres) NewTable() string { return fmt.Sprintf("test%d", p.names.Add(1)) }

// URL returns the URL of a database.
func (p *Postgres) URL(database string) string {
	return fmt.Sprintf("postgres://postgres@%s/%s?sslmode=disable", p.Addr, database)
}

// SQL runs statements and returns the rows, as psql prints them.
func (p *Postgres) SQL(tb testing.TB, database, statements string) string {
	tb.Helper()
	out, err := p.run(database, statements)
	if err != nil {
		tb.Fatalf("%s: %v: %s", statements, err, out)
	}
	return out
}

func (p *Postgres) run(database, statements string) (string, error) {
	cmd := exec.Command(p.psql, p.URL(database), "-XAt", "-v", "ON_ERROR_STOP=1", "-c", statements) //nolint:gosec,noctx // this package chooses the program, which ends by itself
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// A PgBouncer is a pooler that lends a connection for one transaction.
type PgBouncer struct {
	*Process
	Addr string
}

// StartPgBouncer starts a pooler with few connections to p, so that clients
// share them.
func StartPgBouncer(tb testing.TB, p *Postgres) *PgBouncer {
	tb.Helper()
	program := Program(tb, "pgbouncer", "/usr/sbin")
	user := unprivileged(tb)
	dir, port := directory(tb, user), FreePort(tb)
	config := fmt.Sprintf(`[databases]
* = host=127.0.0.1 port=%d user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 3
max_client_conn = 500
`, p.Port, port)
	file := filepath.Join(dir, "pgbouncer.ini")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		tb.Fatal(err)
	}
	user.own(tb, file)
	b := &PgBouncer{Addr: address(port)}
	b.Process = &Process{Dir: dir, path: program, args: []string{file}, user: user}
	b.ready = func() bool { return listens(b.Addr) }
	b.start(tb)
	return b
}

// URL returns the URL of a database behind the pooler.
func (b *PgBouncer) URL(database string) string {
	return fmt.Sprintf("postgres://postgres@%s/%s?sslmode=disable", b.Addr, database)
}
