package servers

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// An account is the user that a server runs as. The nil account is the user
// that runs the test.
type account struct{ uid, gid uint32 }

// unprivileged returns an account for programs that refuse to run as root. It
// returns nil if the test does not run as root.
func unprivileged(tb testing.TB) *account {
	tb.Helper()
	if os.Getuid() != 0 {
		return nil
	}
	for _, name := range []string{"postgres", "daemon"} {
		if u, err := user.Lookup(name); err == nil {
			uid, _ := strconv.ParseUint(u.Uid, 10, 32)
			gid, _ := strconv.ParseUint(u.Gid, 10, 32)
			return &account{uid: uint32(uid), gid: uint32(gid)}
		}
	}
	Missing(tb, "the test runs as root, and there is neither a user postgres nor a user daemon")
	return nil
}

// attributes makes a process run as a. The system kills the process when the
// test process ends, even if it crashes.
func (a *account) attributes() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if a != nil {
		attr.Credential = &syscall.Credential{Uid: a.uid, Gid: a.gid}
	}
	return attr
}

func (a *account) own(tb testing.TB, path string) {
	tb.Helper()
	if a == nil {
		return
	}
	if err := os.Chown(path, int(a.uid), int(a.gid)); err != nil {
		tb.Fatal(err)
	}
}

// killTree kills p and its children. PostgreSQL's backends outlive their
// parent for a moment, and could still carry out a statement.
func killTree(p *os.Process) error {
	if err := p.Signal(syscall.SIGSTOP); err != nil { // it must not fork meanwhile
		return p.Kill()
	}
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", p.Pid, p.Pid))
	errs := []error{err, p.Kill()}
	for _, child := range strings.Fields(string(children)) {
		pid, err := strconv.Atoi(child)
		if err == nil {
			err = syscall.Kill(pid, syscall.SIGKILL)
		}
		if !errors.Is(err, syscall.ESRCH) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
