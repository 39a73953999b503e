package main

import (
	"debug/elf"
	"encoding/pem"
	"log/slog"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"b2trader.identity.auth/identity/identitytest"
	"b2trader.identity.auth/identity/store/storetest/servers"
)

// A container is a directory with what the Dockerfile copies into the image.
type container struct {
	image
	root string
}

// newContainer builds the image. The certificates are those of the one CA.
func newContainer(t *testing.T, ca []byte) container {
	t.Helper()
	if os.Getuid() != 0 {
		servers.Missing(t, "a process in an empty root needs the test to run as root")
	}
	i, err := theImage()
	if err != nil {
		t.Fatal(err)
	}
	c := container{i, t.TempDir()}
	for _, copied := range i.copies[1:] { // the first is the source code
		from, to := copied[0], filepath.Join(c.root, copied[1])
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil { // the container's user must find it
			t.Fatal(err)
		}
		switch from {
		case "/out/demo":
			built.Store(true)
			program, err := binary()
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Link(program, to); err != nil {
				t.Fatal(err)
			}
		case "/etc/ssl/certs/ca-certificates.crt":
			if err := os.WriteFile(to, ca, 0o644); err != nil {
				t.Fatal(err)
			}
		default:
			t.Fatalf("the image has %s, which this test does not know", from)
		}
	}
	return c
}

// command returns a command in the container, as its user, with its
// environment.
func (c container) command(t *testing.T, command []string, env ...string) *exec.Cmd {
	t.Helper()
	user, group, _ := strings.Cut(c.user, ":")
	uid, err := strconv.ParseUint(user, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	gid, err := strconv.ParseUint(group, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), command[0], command[1:]...)
	cmd.Dir, cmd.Env = "/", append(append([]string{}, c.env...), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: c.root, Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	return cmd
}

// The image's program is static, and serves in an empty root. Its user has no
// name and can write nowhere.
func TestContainer(t *testing.T) { // field 4
	t.Parallel()
	c := newContainer(t, nil)
	program, err := elf.Open(filepath.Join(c.root, c.entryPoint[0]))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = program.Close() }()
	for _, header := range program.Progs {
		if header.Type == elf.PT_INTERP {
			t.Error("the program is linked dynamically, want a static one")
		}
	}
	addr := servers.FreeAddress(t)
	_, port, _ := strings.Cut(addr, ":")
	env := []string{"B2TRADER_ADDR=0.0.0.0:" + port, "B2TRADER_PUBLIC_URL=http://localhost:" + port, "B2TRADER_INSECURE_EMBEDDED_SERVERS=true", "B2TRADER_STOP_DELAY=0s"}
	serving := c.command(t, c.entryPoint, env...)
	var log lockedLog
	serving.Stderr = &log
	if err := serving.Start(); err != nil {
		t.Fatal(err)
	}
	browser := newBrowser(t)
	until(t, "ready: "+log.String(), func() bool { return get(t.Context(), browser, "http://"+addr+"/readyz") == 200 })
	if out, err := c.command(t, c.healthCheck, env...).CombinedOutput(); err != nil {
		t.Errorf("the health check = %v %s, want success", err, out)
	}
	if got := post(t.Context(), browser, "http://"+addr+"/sign-in", traderForm); got != 303 {
		t.Errorf("a sign-in = %d, want 303", got)
	}
	if err := serving.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := serving.Wait(); err != nil {
		t.Errorf("it ended by %v: %s", err, &log)
	}
	if out, err := c.command(t, c.healthCheck, env...).CombinedOutput(); err == nil {
		t.Errorf("the health check after the end = %s, want an error", out)
	}
}

// The program trusts the image's certificates.
func TestContainerTrustsCertificates(t *testing.T) { // field 4
	t.Parallel()
	server, err := identitytest.New(identitytest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	listener := httptest.NewUnstartedServer(server)
	listener.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0) // a refused certificate is an error there
	listener.StartTLS()
	defer listener.Close()
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: listener.Certificate().Raw})
	for want, ca := range map[string][]byte{"answers": certificate, "certificate signed by unknown authority": nil} {
		c := newContainer(t, ca)
		out, _ := c.command(t, append(c.entryPoint, "-check-config", "-addr=127.0.0.1:0", "-identity-url="+listener.URL)).CombinedOutput()
		if !strings.Contains(string(out), want) {
			t.Errorf("-check-config = %s, want %q", out, want)
		}
	}
}
