//go:build !linux

package servers

import (
	"os"
	"syscall"
	"testing"
)

// An account is not used on this system: servers run as the user that runs the
// test.
type account struct{}

func unprivileged(testing.TB) *account { return nil }

func (*account) attributes() *syscall.SysProcAttr { return nil }

func (*account) own(testing.TB, string) {}

func killTree(p *os.Process) error { return p.Kill() }
