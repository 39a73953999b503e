package e2e

import (
	"debug/elf"
	"encoding/pem"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
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
	c := container{must(theImage())(t), t.TempDir()}
	for _, copied := range c.copies[1:] { // the first is the source code
		from, to := copied[0], filepath.Join(c.root, copied[1])
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil { // the container's user must find it
			t.Fatal(err)
		}
		switch from {
		case "/out/demo":
			if err := os.Link(demoCommand(t), to); err != nil {
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
	uid, gid := must(strconv.ParseUint(user, 10, 32))(t), must(strconv.ParseUint(group, 10, 32))(t)
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
	program := must(elf.Open(filepath.Join(c.root, c.entryPoint[0])))(t)
	defer func() { _ = program.Close() }()
	for _, header := range program.Progs {
		if header.Type == elf.PT_INTERP {
			t.Error("the program is linked dynamically, want a static one")
		}
	}
	port := strconv.Itoa(servers.FreePort(t))
	site := &url.URL{Scheme: "http", Host: "localhost:" + port}
	env := []string{"B2TRADER_ADDR=0.0.0.0:" + port, "B2TRADER_PUBLIC_URL=" + site.String(), "B2TRADER_INSECURE_EMBEDDED_SERVERS=true", "B2TRADER_STOP_DELAY=0s"}
	s := newSecrets(t)
	serving, log := c.command(t, c.entryPoint, env...), s.newLog()
	serving.Stderr = log
	if err := serving.Start(); err != nil {
		t.Fatal(err)
	}
	b := (&demo{t: t, secrets: s, site: site}).browser()
	until(t, "ready", func() bool {
		p, err := b.try(b.fetching("/readyz"))
		return err == nil && p.status == http.StatusOK
	})
	if out, err := c.command(t, c.healthCheck, env...).CombinedOutput(); err != nil {
		t.Errorf("the health check = %v %s, want success", err, out)
	}
	b.signInBy(trader, "trader-password", "spa").want(http.StatusOK, "/account")
	if err := serving.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := serving.Wait(); err != nil {
		t.Errorf("it ended by %v: %s", err, log)
	}
	if out, err := c.command(t, c.healthCheck, env...).CombinedOutput(); err == nil {
		t.Errorf("the health check after the end = %s, want an error", out)
	}
}

// The program trusts the image's certificates.
func TestContainerTrustsCertificates(t *testing.T) { // field 4
	t.Parallel()
	server := must(identitytest.New(identitytest.Config{}))(t)
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
