package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"b2trader.identity.auth/identity/store/storetest/servers"
)

// announced are the lines about the embedded servers: name, host and port, and
// credentials.
var announced = regexp.MustCompile(`(?m)^  ([^:]+): http://([^/ ]+)\S*  (.+)$`)

// freePorts returns the first of five ports in sequence that were free a moment
// ago.
func freePorts(t *testing.T) int {
	t.Helper()
	for {
		first, free := servers.FreePort(t), 0
		for ; free < platformCount; free++ {
			l, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", first+free))
			if err != nil {
				break
			}
			_ = l.Close()
		}
		if free == platformCount {
			return first
		}
	}
}

// The embedded servers listen where the settings say, and print that.
func TestEmbeddedAddresses(t *testing.T) { // field 4
	t.Parallel()
	identityAddr, first := servers.FreeAddress(t), freePorts(t)
	d := start(t, "-identity-addr", identityAddr, "-platforms-addr", fmt.Sprint("127.0.0.1:", first))
	want := []string{identityAddr}
	for i := range platformCount {
		want = append(want, fmt.Sprint("127.0.0.1:", first+i))
	}
	var got []string
	for _, m := range announced.FindAllStringSubmatch(d.printed, -1) {
		got = append(got, m[2])
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the embedded servers are at %v, want %v", got, want)
	}
	err := run(t.Context(), []string{"-addr", "127.0.0.1:0", "-identity-addr", identityAddr}, nil, io.Discard, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "another program listens on "+identityAddr) || !strings.Contains(err.Error(), "-identity-addr") {
		t.Errorf("a taken -identity-addr: %v, want an error that names it", err)
	}
}

// tokenInAnswer is a token in one of the servers' answers.
var tokenInAnswer = regexp.MustCompile(`"(access_token|accessToken|access|token)": ?"[^"]{20,}"`)

// The commands of docs/neighbours.md, By curl, work. The test changes the
// addresses only, and makes curl fail where the server refuses.
func TestDocumentedCurlLines(t *testing.T) { // field 4
	t.Parallel()
	curl := servers.Program(t, "curl")
	home := t.TempDir()
	if err := os.WriteFile(filepath.Join(home, ".curlrc"), []byte("silent\nshow-error\nfail-with-body\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	document, err := os.ReadFile("../../docs/neighbours.md")
	if err != nil {
		t.Fatal(err)
	}
	scripts := regexp.MustCompile(`(?m)^# .*\n(?:.*curl .*\n)+`).FindAllString(string(document), -1)
	embedded := announced.FindAllStringSubmatch(start(t).printed, -1)
	if len(embedded) != platformCount+1 {
		t.Fatalf("%d servers are announced, want %d", len(embedded), platformCount+1)
	}
	for i, server := range embedded {
		documented, found := fmt.Sprint("127.0.0.1:", 8089+i), false
		for _, script := range scripts {
			if !strings.Contains(script, " http://"+documented+"/") {
				continue
			}
			found = true
			cmd := exec.CommandContext(t.Context(), "sh", "-ec", strings.ReplaceAll(script, documented, server[2]))
			cmd.Env = []string{"HOME=" + home, "PATH=" + filepath.Dir(curl) + ":/usr/bin:/bin"}
			out, err := cmd.CombinedOutput()
			if needsToken := !strings.Contains(script, "/identity/sign-in "); err != nil || needsToken && !tokenInAnswer.Match(out) {
				t.Errorf("%s= %v %s, want a token", script, err, out)
			}
		}
		if !found {
			t.Errorf("docs/neighbours.md has no curl line for %s at %s", server[1], documented)
		}
	}
}

// No account but the samples is printed: with real servers the demo announces
// none.
func TestRealServersAreNotAnnounced(t *testing.T) { // field 4
	t.Parallel()
	office := startOffice(t, 0)
	d := start(t, office.args("-machine-email", "machine@example.com", "-machine-password-file", secretFile(t, "machine-password"),
		"-core-ib-secret-file", secretFile(t, "core_ib-secret"))...)
	for _, secret := range []string{"password", "secret", "bearer", "machine@example.com"} {
		if strings.Contains(d.printed, secret) {
			t.Errorf("it printed %q, want nothing with %q", d.printed, secret)
		}
	}
}
