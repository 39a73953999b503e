package servers

import (
	"os"
	"os/user"
	"strconv"
	"syscall"
	"testing"
)

// An account is a user that a server runs as. The nil account is whoever runs the test.
type account struct{ uid, gid uint32 }

// unprivileged returns an account for programs that refuse to run as root, or nil if the test does not run as root.
func unprivileged(tb testing.TB) *account {
	tb.Helper()
	if os.Getuid() != 0 {
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			uid, _ := strconv.ParseUint(u.Uid, 10, 32)
			gid, _ := strconv.ParseUint(u.Gid, 10, 32)
			return &account{uid: uint32(uid), gid: uint32(gid)}
		}
	}
	tb.Skip("root runs the test, and there is no user to run the server as")
	return nil
}

// attributes makes a process run as a, and end with the test even if the test crashes.
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
